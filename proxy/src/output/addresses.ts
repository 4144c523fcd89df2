/** An address that a text names, in the form in which it can be compared. */
export interface Address {
  /** Lower case; an e-mail address whole, a URL by its host. */
  readonly name: string
  readonly host: string
  readonly scheme: string
  readonly start: number
  readonly end: number
}

const MOST = 64
const LONGEST = 2048

/** URLs with an authority and e-mail addresses; `more` when there are more than are looked at. Linear. */
export const addressesIn = (
  written: string,
): { readonly found: readonly Address[]; readonly more: boolean } => {
  const text = withSlashes(written)
  const found: Address[] = []
  let from = 0
  let within = 0
  while (found.length < MOST) {
    const mail = text.indexOf('@', from)
    const url = text.indexOf('//', from)
    if (mail === -1 && url === -1) return { found, more: false }
    const at = mail === -1 || (url !== -1 && url < mail) ? url : mail
    from = at + 2
    // An address inside another one, as for an open redirect, has a scheme; `//` alone is part of the path.
    const address =
      at === mail ? mailAt(text, at) : at < within && text[at - 1] !== ':' ? undefined : urlAt(text, at)
    if (address) found.push(address)
    if (address && at === url) within = Math.max(within, address.end)
  }
  return { found, more: true }
}

/**
 * Of the same length, and with two slashes wherever a client would go on without them: `http:\\\\host`, `http:\\/\\/host` as JSON
 * writes it, `http:/host`, a share `\\\\host`.
 */
const withSlashes = (written: string): string =>
  written.includes('\\')
    ? written
        .replaceAll(/[a-z\d]{2}:[/\\]+/gi, (marks) => marks.replaceAll('\\', '/'))
        .replace(/^\\\\(?=[\w.-]{1,253}\\)/, '//')
    : written

const urlAt = (text: string, slashes: number): Address | undefined => {
  let start = slashes
  if (text[slashes - 1] === ':') {
    start--
    while (start > 0 && slashes - start < 32 && isSchemeUnit(text.charCodeAt(start - 1))) start--
  }
  let end = slashes
  while (end < text.length && end - start < LONGEST && !isBreak(text.charCodeAt(end))) end++
  const written = text.slice(start, end)
  const url = URL.parse(start === slashes ? `http:${written}` : written)
  if (url === null) return undefined
  const host = bareHost(url.hostname)
  // In the middle of a text two slashes begin a comment, too.
  if (start === slashes && start > 0 && !/[.[]/.test(host)) return undefined
  return host === '' && url.protocol.startsWith('http')
    ? undefined
    : { name: host, host, scheme: url.protocol.slice(0, -1), start, end }
}

const mailAt = (text: string, at: number): Address | undefined => {
  let start = at
  while (start > 0 && at - start < 64 && isLocalUnit(text.charCodeAt(start - 1))) start--
  let end = at + 1
  while (end < text.length && end - at < 254 && isHostUnit(text.charCodeAt(end))) end++
  while (end > at && text[end - 1] === '.') end--
  const host = bareHost(text.slice(at + 1, end))
  // What is quoted before it may be anything, another address too.
  const quoted = text[at - 1] === '"' || text[at - 1] === ')'
  if ((start === at && !quoted) || !host.includes('.')) return undefined
  return { name: text.slice(start, end).toLowerCase(), host, scheme: 'mailto', start, end }
}

const bareHost = (host: string): string => host.toLowerCase().replace(/\.$/, '')

const isAlphanumeric = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a)

const isSchemeUnit = (code: number): boolean =>
  isAlphanumeric(code) || code === 0x2b || code === 0x2d || code === 0x2e

const isHostUnit = (code: number): boolean =>
  isAlphanumeric(code) || code === 0x2d || code === 0x2e || code > 0x7f

const isLocalUnit = (code: number): boolean =>
  isAlphanumeric(code) || ".!#$%&'*+/=?^_{|}~-".includes(String.fromCharCode(code)) || code > 0x7f

const isBreak = (code: number): boolean =>
  code <= 0x20 || code === 0x22 || code === 0x27 || code === 0x3c || code === 0x3e || code === 0x60
