/**
 * One element of a page. The server writes it as HTML, and sends it as JSON to the script, which makes the same element of it:
 * what others wrote is a text node or an attribute value on both ways, so it can never become markup.
 */
export type Tree = string | readonly [tag: Tag, attributes: Attributes, children: readonly Tree[]]

export type Attributes = Readonly<Record<string, string | number>>

type Tag =
  | 'html'
  | 'head'
  | 'meta'
  | 'title'
  | 'link'
  | 'script'
  | 'noscript'
  | 'body'
  | 'header'
  | 'nav'
  | 'main'
  | 'section'
  | 'footer'
  | 'h1'
  | 'h2'
  | 'h3'
  | 'p'
  | 'div'
  | 'span'
  | 'a'
  | 'ul'
  | 'li'
  | 'dl'
  | 'dt'
  | 'dd'
  | 'table'
  | 'caption'
  | 'thead'
  | 'tbody'
  | 'tr'
  | 'th'
  | 'td'
  | 'form'
  | 'label'
  | 'input'
  | 'select'
  | 'option'
  | 'button'
  | 'datalist'
  | 'details'
  | 'summary'
  | 'time'
  | 'code'
  | 'bdi'
  | 'strong'
  | 'svg'
  | 'desc'
  | 'g'
  | 'path'
  | 'rect'
  | 'line'
  | 'text'
  | 'figure'
  | 'figcaption'

const VOID: ReadonlySet<string> = new Set<Tag>(['meta', 'link', 'input'])

export const h = (tag: Tag, attributes: Attributes = {}, ...children: readonly Tree[]): Tree => [
  tag,
  attributes,
  children,
]

/** As HTML, everything escaped. */
export const html = (tree: Tree): string => {
  if (typeof tree === 'string') return escape(tree)
  const [tag, attributes, children] = tree
  let text = `<${tag}`
  for (const name in attributes) text += ` ${name}="${escape(String(attributes[name]))}"`
  text += '>'
  for (const child of children) text += html(child)
  return VOID.has(tag) ? text : `${text}</${tag}>`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (found) => ESCAPES[found] ?? '')

/** Text of others, isolated, with the characters that cannot be seen or that turn the line around written as their numbers. */
export const foreign = (text: string): Tree => h('bdi', {}, visible(text))

/** As `foreign`, for attributes. */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u034f\ufe00-\ufe0f]/gu,
    (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`,
  )
