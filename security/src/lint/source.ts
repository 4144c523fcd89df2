import type { Span } from './finding.ts'

export type Language = 'python' | 'typescript' | 'yaml' | 'json' | 'text' | 'notebook'

/** One file, or the Python of one notebook cell. Line ends are kept as they are. */
export interface Source {
  /** As given on the command line, with `/` between folders. */
  readonly path: string
  readonly language: Language
  readonly text: string
}

/** The whole lines that a span touches. */
export const linesAround = (text: string, { start, end }: Span): string => {
  const from = text.lastIndexOf('\n', Math.max(0, start - 1)) + 1
  const to = text.indexOf('\n', Math.max(start, end - 1))
  return text.slice(from, to < 0 ? text.length : to)
}
