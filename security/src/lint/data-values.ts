import { isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments, type Node } from 'yaml'
import { cook } from './cook.ts'
import type { Entry, Value } from './value.ts'

/** The documents of YAML or JSON text. Aliases are not followed. Throws an Error when the text is neither. */
export const dataValues = (text: string): readonly Value[] => {
  const documents = parseAllDocuments(text, {
    logLevel: 'silent',
    uniqueKeys: false,
    strict: false,
    stringKeys: false,
  })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    const [problem] = document.errors
    if (problem !== undefined) throw new Error(problem.message.split('\n')[0])
    return document.contents === null ? [] : [fromNode(document.contents, text)]
  })
}

const fromNode = (node: Node | null, text: string): Value => {
  const [start, end] = node?.range ?? [0, 0]
  const span = { start, end }
  if (isMap(node))
    return {
      kind: 'object',
      ...span,
      entries: () => node.items.flatMap((pair) => (isPair(pair) ? entry(pair, text) : [])),
    }
  if (isSeq(node))
    return { kind: 'list', ...span, items: () => node.items.map((item) => fromNode(item as Node, text)) }
  if (isAlias(node) || !isScalar(node) || typeof node.value !== 'string')
    return { kind: 'other', text: text.slice(start, Math.min(end, start + 200)), ...span }
  return { kind: 'string', pieces: [{ kind: 'text', ...written(text, span) }], ...span }
}

const entry = (pair: { key: unknown; value: unknown }, text: string): readonly Entry[] => {
  const key = pair.key as Node | null
  if (!isScalar(key)) return []
  const value = fromNode(pair.value as Node | null, text)
  const start = key.range?.[0] ?? value.start
  return [{ key: String(key.value), value, start, end: Math.max(value.end, key.range?.[1] ?? 0) }]
}

/** As it is written, so that offsets hold: without quotes, and without the head of a block. */
const written = (
  text: string,
  { start, end }: { start: number; end: number },
): { text: string; start: number } => {
  const first = text.charAt(start)
  if (first === '"') return { text: cook(text.slice(start + 1, end - 1), true), start: start + 1 }
  if (first === "'") return { text: text.slice(start + 1, end - 1), start: start + 1 }
  if (first === '|' || first === '>') {
    const body = text.indexOf('\n', start) + 1
    return { text: text.slice(body, end), start: body }
  }
  return { text: text.slice(start, end), start }
}
