import { isMap, isPair, isScalar, LineCounter, parse, parseDocument, type Pair, type YAMLMap } from 'yaml'

/** One key of values.yaml. A section has children; a value has none, also when it is a list or a map. */
export interface Value {
  readonly path: readonly string[]
  readonly line: number
  readonly description: string
  /** JSON Schema keywords from `# @schema {...}` lines above the key. */
  readonly hint: Readonly<Record<string, unknown>>
  readonly fallback: unknown
  readonly children: readonly Value[]
}

/** What is wrong with a chart, one sentence each. */
export class ChartError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** The tree of values.yaml. Throws ChartError with a line number for everything that is wrong. */
export const readValues = (text: string): readonly Value[] => {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true })
  if (document.errors.length > 0) throw new ChartError(document.errors.map((error) => error.message))
  if (document.contents === null) return []
  if (!isMap(document.contents)) throw new ChartError(['values.yaml is not a map'])
  const problems: string[] = []
  const reader = { lines: text.split('\n'), counter, problems }
  const values = readMap(document.contents, [], reader)
  if (problems.length > 0) throw new ChartError(problems)
  return values
}

/** Every value that is not a section, in the order of the file. */
export const leaves = (values: readonly Value[]): readonly Value[] =>
  values.flatMap((value) => (value.children.length > 0 ? leaves(value.children) : [value]))

export const dotted = (path: readonly string[]): string => path.join('.')

interface Reader {
  readonly lines: readonly string[]
  readonly counter: LineCounter
  readonly problems: string[]
}

const readMap = (map: YAMLMap, above: readonly string[], reader: Reader): readonly Value[] =>
  map.items.filter(isPair).map((pair) => readPair(pair, above, reader))

const readPair = (pair: Pair, above: readonly string[], reader: Reader): Value => {
  const { key, value } = pair
  if (!isScalar(key) || typeof key.value !== 'string' || !key.range)
    throw new ChartError(['a key is not a string'])
  const path = [...above, key.value]
  const { line } = reader.counter.linePos(key.range[0])
  const { description, hint } = readComment(reader, line, dotted(path))
  const isSection = isMap(value) && value.items.length > 0 && !describesWhole(hint)
  if (!isSection && description === '')
    reader.problems.push(`line ${line}: ${dotted(path)} has no comment above it that says what it is`)
  return {
    path,
    line,
    description,
    hint,
    fallback: isScalar(value)
      ? value.value
      : ((value as { toJSON?: () => unknown } | null)?.toJSON?.() ?? null),
    children: isSection ? readMap(value, path, reader) : [],
  }
}

/** A hint with one of these says what may stand in the whole map, so that its default members are not values of their own. */
const describesWhole = (hint: Readonly<Record<string, unknown>>): boolean =>
  ['$ref', 'additionalProperties', 'anyOf', 'oneOf'].some((keyword) => keyword in hint)

const readComment = (
  { lines, problems }: Reader,
  line: number,
  name: string,
): { description: string; hint: Record<string, unknown> } => {
  let first = line - 1
  while (/^\s*#/.test(lines[first - 1] ?? '')) first--
  const comment = lines.slice(first, line - 1).map((text) => text.replace(/^\s*#\s?/, ''))
  const hint: Record<string, unknown> = {}
  for (const text of comment.filter((text) => text.startsWith('@schema'))) {
    const found: unknown = parseHint(text.slice('@schema'.length))
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) Object.assign(hint, found)
    else
      problems.push(`line ${line}: the @schema above ${name} is not a map in one line, such as {minimum: 1}`)
  }
  const description = comment.filter((text) => !text.startsWith('@schema')).join(' ')
  return { description: description.replace(/\s+/g, ' ').trim(), hint }
}

const parseHint = (text: string): unknown => {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
