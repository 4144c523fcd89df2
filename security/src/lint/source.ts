import type { Span } from './finding.ts'

export type Language = 'python' | 'typescript' | 'yaml' | 'json' | 'text' | 'notebook'

/** One file, or the Python of one notebook cell. Line ends are kept as they are. */
export interface Source {
  /** As given on the command line, with `/` between folders. */
  readonly path: string
  readonly language: Language
  readonly text: string
}

export interface Position {
  readonly line: number
  readonly column: number
}

/** Line and column of an offset, both from 1, columns in UTF-16 units. */
export const positions = (text: string): ((offset: number) => Position) => {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

/** The whole lines that a span touches. */
export const linesAround = (text: string, { start, end }: Span): string => {
  const from = text.lastIndexOf('\n', Math.max(0, start - 1)) + 1
  const to = text.indexOf('\n', Math.max(start, end - 1))
  return text.slice(from, to < 0 ? text.length : to)
}
