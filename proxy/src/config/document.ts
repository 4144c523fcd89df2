import { isMap, isPair, LineCounter, parseDocument, type Document, type Node } from 'yaml'
import { pathText, type Problem } from './problems.ts'

/** A YAML file with the place of every value. */
export interface ConfigDocument {
  /** Undefined when the text is not good YAML: then there are problems. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** A problem at the value of that path, or at the nearest value around it that exists. `key` names a member's key instead. */
  problem(path: readonly PropertyKey[], message: string, key?: string): Problem
}

const MAX_LENGTH = 8 * 1024 * 1024
const MAX_ALIASES = 100
const MAX_SHOWN = 20

/** YAML 1.2 of one document, strictly: keys once, no unknown tags, few aliases, at most 8 MiB. */
export const readDocument = (text: string): ConfigDocument => {
  if (text.length > MAX_LENGTH) return broken('is longer than 8 MiB; split what is not configuration off')
  const lines = new LineCounter()
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      uniqueKeys: true,
      strict: true,
      stringKeys: true,
    })
    const problems = [...document.errors, ...document.warnings]
      .slice(0, MAX_SHOWN)
      .map(({ message, pos }) => {
        const { line, col } = lines.linePos(pos[0])
        return { path: '', line, column: col, message: `is not valid YAML: ${firstSentence(message)}` }
      })
    const value: unknown =
      problems.length > 0 ? undefined : (document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {})
    return {
      value,
      problems,
      problem: (path, message, key) => locate(document, lines, { path, message, key }),
    }
  } catch (error) {
    // Aliases beyond the bound, and nesting beyond the stack.
    return broken(`cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`)
  }
}

/** Without the place, which is told apart, and without the lines of the file, which may hold a secret. */
const firstSentence = (message: string): string =>
  (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')

const broken = (message: string): ConfigDocument => {
  const problem = (path: readonly PropertyKey[], text: string): Problem => ({
    path: pathText(path),
    line: 1,
    column: 1,
    message: text,
  })
  return { value: undefined, problems: [problem([], message)], problem }
}

interface Place {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly key: string | undefined
}

const locate = (document: Document, lines: LineCounter, { path, message, key }: Place): Problem => {
  const offset = keyOffset(document, path, key) ?? valueOffset(document, path)
  const { line, col } = lines.linePos(offset)
  const shown = key === undefined ? path : [...path, key]
  return { path: pathText(shown), line: Math.max(1, line), column: Math.max(1, col), message }
}

const keyOffset = (
  document: Document,
  path: readonly PropertyKey[],
  key: string | undefined,
): number | undefined => {
  if (key === undefined) return undefined
  const parent: unknown = path.length === 0 ? document.contents : document.getIn(path, true)
  if (!isMap(parent)) return undefined
  const pair = parent.items.find((item) => isPair(item) && String(item.key) === key)
  return (pair?.key as Node | undefined)?.range?.[0]
}

const valueOffset = (document: Document, path: readonly PropertyKey[]): number => {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as Partial<Node> | undefined
    const start = node?.range?.[0]
    if (start !== undefined) return start
  }
  return document.contents?.range?.[0] ?? 0
}
