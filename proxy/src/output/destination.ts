/** Where a written address leads, read as a browser reads it. */
export type Destination =
  | { readonly kind: 'inside' }
  /** Another host; empty when it cannot be told which one. */
  | { readonly kind: 'outside'; readonly host: string; readonly carries: boolean }
  /** Runs code, or opens a page made of the address itself. */
  | { readonly kind: 'script' }

const INSIDE: Destination = { kind: 'inside' }
const UNREADABLE: Destination = { kind: 'outside', host: '', carries: true }

// Two bases: `https:name` is relative to a page of its own scheme only.
const BASES = ['https://here.invalid/', 'http://here.invalid/'] as const

const HARMLESS: ReadonlySet<string> = new Set([
  'mailto:',
  'tel:',
  'sms:',
  'blob:',
  'cid:',
  'about:',
  'attachment:',
  'sandbox:',
])

const SCRIPTS: ReadonlySet<string> = new Set(['javascript:', 'vbscript:', 'livescript:', 'view-source:'])

const PAGES = [
  'data:text/html',
  'data:application/xhtml',
  'data:text/xml',
  'data:application/xml',
  'data:image/svg',
]

/** Linear; give at most some thousand characters, without the escapes of the format that they stood in. */
export const destinationOf = (written: string): Destination => {
  for (const base of BASES) {
    const url = URL.parse(written, base)
    if (url === null) return written.includes('//') || written.includes('\\') ? UNREADABLE : INSIDE
    const { protocol, host } = url
    if (SCRIPTS.has(protocol)) return { kind: 'script' }
    if (protocol === 'data:') {
      return PAGES.some((page) => url.href.toLowerCase().startsWith(page)) ? { kind: 'script' } : INSIDE
    }
    if (HARMLESS.has(protocol)) return INSIDE
    if (host !== 'here.invalid') {
      return { kind: 'outside', host: url.hostname, carries: url.search.length > 1 || url.username !== '' }
    }
  }
  return INSIDE
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  bsol: '\\',
  colon: ':',
  commat: '@',
  equals: '=',
  gt: '>',
  lpar: '(',
  lt: '<',
  newline: '\n',
  num: '#',
  period: '.',
  quest: '?',
  quot: '"',
  rpar: ')',
  sol: '/',
  tab: '\t',
}

/** HTML character references, as far as they can spell an address. */
export const withoutReferences = (text: string): string =>
  text.includes('&') ? text.replaceAll(/&(?:#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{2,8});?/gi, referred) : text

const referred = (reference: string): string => {
  const name = reference.slice(1).replace(';', '').toLowerCase()
  if (!name.startsWith('#')) return NAMED[name] ?? reference
  const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code <= 0x10ffff ? String.fromCodePoint(code) : reference
}

/** Markdown's backslash before punctuation. */
export const withoutBackslashes = (text: string): string =>
  text.includes('\\') ? text.replaceAll(/\\([!-/:-@[-`{-~])/g, '$1') : text
