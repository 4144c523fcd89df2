/** Where a written address leads, read as a browser reads it. */
type Destination =
  | { readonly kind: 'inside' }
  /** Another host; empty when it cannot be told which one. */
  | { readonly kind: 'outside'; readonly host: string; readonly carries: boolean }
  /** Runs code, or opens a page made of the address itself. */
  | { readonly kind: 'script' }

const INSIDE: Destination = { kind: 'inside' }
const UNREADABLE: Destination = { kind: 'outside', host: '', carries: true }

// Two bases: `https:name` is relative to a page of its own scheme only, and no host is that of both.
const BASES = [
  { base: 'https://here.invalid/', name: 'here.invalid' },
  { base: 'http://there.invalid/', name: 'there.invalid' },
] as const

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

/** What several readings of an address come to: readers disagree, so each host counts. */
export interface Leads {
  readonly script: boolean
  /** Different ones; empty when all is inside. */
  readonly hosts: readonly string[]
  readonly carries: boolean
}

/** What a name is followed by when its end was not seen: it could be a user name. */
const CUT = 'cut.invalid'

/** Linear; give at most some thousand characters each. `cut`: what follows was not read, and may change where it leads. */
export const leadsOf = (readings: readonly string[], cut = false): Leads => {
  const all = cut ? readings.flatMap((one) => [one, `${one}@${CUT}`]) : readings
  const found = [...new Set(all)].map(destinationOf)
  if (cut && readings.some(isBeginning)) found.push(UNREADABLE)
  const outside = found.filter((one) => one.kind === 'outside')
  return {
    script: found.some(({ kind }) => kind === 'script'),
    hosts: [...new Set(outside.map(({ host }) => (host === CUT ? '' : host)))],
    carries: outside.some(({ carries }) => carries),
  }
}

/** Where it leads is still open: the rest could begin with another letter of the scheme, or with the host. */
const isBeginning = (written: string): boolean => {
  const seen = written.replaceAll(/[\0- ]/g, '')
  return seen.length <= 'javascript://'.length && /^[a-z-]*:?[/\\]*$/i.test(seen)
}

const destinationOf = (written: string): Destination => {
  for (const { base, name } of BASES) {
    const url = URL.parse(written.trim(), base)
    // What cannot be read by itself can with what follows.
    if (url === null) return UNREADABLE
    const { protocol, host } = url
    if (SCRIPTS.has(protocol)) return { kind: 'script' }
    if (protocol === 'data:') {
      const type = url.href.toLowerCase().replaceAll(/\s|%20/g, '')
      if (type.startsWith('data:text/css')) return UNREADABLE
      return PAGES.some((page) => type.startsWith(page)) ? { kind: 'script' } : INSIDE
    }
    if (HARMLESS.has(protocol)) return INSIDE
    if (host !== name) {
      const carries = url.search.length > 1 || url.username !== ''
      return { kind: 'outside', host: isPlain(url.hostname) ? url.hostname : '', carries }
    }
  }
  return INSIDE
}

/** No other name is on anybody's list, and what is left of an escape could end like one that is. */
const isPlain = (host: string): boolean => /^[a-z\d._-]+$|^\[/.test(host)

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
  text.includes('&') ? text.replaceAll(/&(?:#x0*[0-9a-f]{1,6}|#0*[0-9]{1,7}|[a-z]{2,8});?/gi, referred) : text

const referred = (reference: string): string => {
  const name = reference.slice(1).replace(';', '').toLowerCase()
  if (!name.startsWith('#')) return NAMED[name] ?? reference
  const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code <= 0x10ffff ? String.fromCodePoint(code) : reference
}

/** Markdown's backslash before punctuation. */
export const withoutBackslashes = (text: string): string =>
  text.includes('\\') ? text.replaceAll(/\\([!-/:-@[-`{-~])/g, '$1') : text
