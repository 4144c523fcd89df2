import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

/** A fenced block of a document. */
export interface Block {
  readonly doc: string
  /** Of the first line inside the fence, from 1. */
  readonly line: number
  /** `sh`, `yaml`, ...; empty when the fence names none. */
  readonly lang: string
  readonly text: string
  /** The nearest line with text above the fence. */
  readonly above: string
}

export const documents: readonly string[] = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'policies/README.md',
  ...readdirSync(join(ROOT, 'proxy/docs')).map((name) => `proxy/docs/${name}`),
]

export const textOf = (doc: string): string => readFileSync(join(ROOT, doc), 'utf8')

export const blocksOf = (doc: string): readonly Block[] => {
  const found: Block[] = []
  const lines = textOf(doc).split('\n')
  let above = ''
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*)$/.exec(lines[at] ?? '')
    if (!fence) {
      above = lines[at]?.trim() || above
      continue
    }
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`${doc}:${at + 1}: this block is never closed`)
    const text = lines.slice(at + 1, end).join('\n')
    found.push({ doc, line: at + 2, lang: fence[1] ?? '', text, above })
    at = end
  }
  return found
}

/** The commands of a shell block: one for each line, continued lines as one. */
export const commandsOf = ({
  text,
  line,
}: Block): readonly { readonly line: number; readonly text: string }[] => {
  const found: { line: number; text: string }[] = []
  let open: { line: number; text: string } | undefined
  for (const [at, part] of text.split('\n').entries()) {
    if (open) open.text += `\n${part}`
    else if (/^\s*(#|$)/.test(part)) continue
    else open = { line: line + at, text: part }
    if (part.endsWith('\\')) continue
    found.push(open)
    open = undefined
  }
  if (open) found.push(open)
  return found
}

/** Text between backquotes outside of the fenced blocks. */
export const inlineCodeOf = (doc: string): readonly string[] =>
  textOf(doc)
    .replace(/^```[^]*?^```$/gm, '')
    .match(/`[^`\n]+`/g)
    ?.map((code) => code.slice(1, -1)) ?? []

export interface Link {
  readonly target: string
  /** The file that a relative link names, without what follows #; undefined for links to elsewhere. */
  readonly file: string | undefined
  readonly anchor: string | undefined
}

export const linksOf = (doc: string): readonly Link[] =>
  [
    ...textOf(doc)
      .replace(/^```[^]*?^```$/gm, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return { target, file: undefined, anchor: undefined }
    const [path = '', anchor] = target.split('#')
    return { target, file: path === '' ? join(ROOT, doc) : join(ROOT, dirname(doc), path), anchor }
  })

/** The anchors that a Markdown page has, as GitHub makes them of its headings. */
export const anchorsOf = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
