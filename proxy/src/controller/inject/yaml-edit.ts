import { diffArrays } from 'diff'
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
  type Document,
  type ToStringOptions,
} from 'yaml'
import type { PatchOperation } from './json-patch.ts'

/** One YAML document of a file, with its text as written. */
export interface YamlPart {
  readonly text: string
  /** As Kubernetes reads it; null for an empty document. */
  readonly value: unknown
  /** The text after a patch: comments and quoting stay, the layout as near as the YAML library writes it. Works once. */
  readonly patched: (patch: readonly PatchOperation[]) => string
}

export type YamlParts =
  | { readonly kind: 'read'; readonly parts: readonly YamlPart[] }
  | { readonly kind: 'invalid'; readonly message: string }

/** Kubernetes reads YAML 1.1, where `0644` is octal and `yes` is true, without its dates. */
export const readYaml = (text: string): YamlParts => {
  const docs = parseAllDocuments(text, {
    version: '1.1',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !tag.tag.endsWith(':timestamp')),
  })
  if (!Array.isArray(docs)) return { kind: 'read', parts: [] }
  const parts: YamlPart[] = []
  let start = 0
  for (const doc of docs as Document.Parsed[]) {
    const [error] = doc.errors
    if (error) return { kind: 'invalid', message: error.message.split('\n')[0] ?? 'invalid YAML' }
    const end = doc.range[2]
    const own = text.slice(start, end)
    start = end
    parts.push({
      text: own,
      value: doc.toJS({ maxAliasCount: 100 }) as unknown,
      patched: (patch) => patched(doc, own, patch),
    })
  }
  return { kind: 'read', parts }
}

const patched = (doc: Document.Parsed, text: string, patch: readonly PatchOperation[]): string => {
  const options = layoutOf(doc, text)
  withoutAliases(doc)
  for (const operation of patch) apply(doc, operation)
  return asWritten(text, doc.toString(options))
}

/** Lines that differ in blanks only, such as before a comment or in `{a: 1}`, stay as they were. */
const asWritten = (before: string, after: string): string => {
  const old = before.split('\n')
  const now = after.split('\n')
  let at = 0
  let then = 0
  const lines: string[] = []
  for (const part of diffArrays(old, now, { comparator: sameButBlanks })) {
    if (part.removed) then += part.count
    else if (part.added) lines.push(...now.slice(at, (at += part.count)))
    else {
      lines.push(...old.slice(then, (then += part.count)))
      at += part.count
    }
  }
  return lines.join('\n')
}

const sameButBlanks = (a: string, b: string): boolean =>
  a === b ||
  (a.length - a.trimStart().length === b.length - b.trimStart().length &&
    a.replace(/ +/g, '') === b.replace(/ +/g, ''))

/** An alias may stand at several places, of which one is changed: each gets its own copy. Merged keys become keys. */
const withoutAliases = (doc: Document.Parsed): void => {
  const aliases: unknown[] = []
  visit(doc, {
    Node: (_key, node) => {
      if (isAlias(node)) aliases.push(node)
    },
  })
  if (aliases.length === 0) return
  doc.contents = doc.createNode(doc.toJS({ maxAliasCount: 100 })) as Document.Parsed['contents']
}

const apply = (doc: Document.Parsed, operation: PatchOperation): void => {
  const path = operation.path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (path.length === 0) return
  const last = path.at(-1) ?? ''
  const parent = doc.getIn(path.slice(0, -1), true)
  if (operation.op === 'remove') {
    doc.deleteIn(path)
  } else if (operation.op === 'add' && isSeq(parent)) {
    parent.items.splice(Number(last), 0, doc.createNode(operation.value))
    parent.flow = parent.flow === true && !isBig(operation.value)
  } else if (isMap(parent) || isSeq(parent)) {
    const key = isSeq(parent) ? Number(last) : last
    const before = parent.get(key, true)
    const scalar = isScalar(before) && typeof operation.value !== 'object'
    parent.set(key, scalar ? operation.value : doc.createNode(operation.value))
    if (isMap(parent)) parent.flow = parent.flow === true && !isBig(operation.value)
  } else {
    // An empty key, such as `labels:`, which is null.
    doc.setIn(path, doc.createNode(operation.value))
  }
}

const isBig = (value: unknown): boolean => typeof value === 'object' && value !== null

/** The layout that changes fewest lines of the document as it is. */
const layoutOf = (doc: Document.Parsed, text: string): ToStringOptions => {
  const lines = text.split('\n')
  const different = (options: ToStringOptions): number => {
    const now = doc.toString(options).split('\n')
    return now.filter((line, i) => line !== lines[i]).length
  }
  const choices = [2, 4].flatMap((indent) =>
    [true, false].flatMap((indentSeq) =>
      [true, false].map((flowCollectionPadding) => ({
        indent,
        indentSeq,
        flowCollectionPadding,
        lineWidth: 0,
      })),
    ),
  )
  return (
    choices.map((choice) => ({ choice, lines: different(choice) })).sort((a, b) => a.lines - b.lines)[0]
      ?.choice ?? {}
  )
}
