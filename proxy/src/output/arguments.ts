import type { Category, Finding } from '../core/finding.ts'
import type { ArgumentCheck } from '../core/scanner.ts'
import type { Text } from '../core/text.ts'
import { addressesIn, type Address } from './addresses.ts'
import { isStatement, shellPhrases, sqlPhrases, type Phrase } from './commands.ts'
import { insideOf, type Inside } from './internal-hosts.ts'
import { escapeOf } from './paths.ts'

export const argumentRules = {
  'internal-address': 'tool_argument',
  'loopback-address': 'tool_argument',
  'path-escape': 'tool_argument',
  'shell-command': 'tool_argument',
  'sql-statement': 'tool_argument',
  'untrusted-destination': 'tool_argument',
} as const satisfies Record<string, Category>

type ArgumentRule = keyof typeof argumentRules

/** Looks at one argument of a tool call: what it would do, and whose idea the address in it was. Linear in its length. */
export const argumentCheck: ArgumentCheck = (said) => {
  const origins = originsOf(said)
  const found = (value: string): readonly Finding[] => {
    const { found: addresses, more } = addressesIn(value)
    const plain = [
      ...addresses.flatMap((address) => ofAddress(address, { origins, surely: isOneLine(value) })),
      ...bareHost(value),
    ]
    return [
      ...plain,
      ...asClientsRead(value).filter((one) => !plain.some((other) => isSame(one, other))),
      ...whole('shell-command', sayingOf(shellPhrases, value.toLowerCase()), value),
      ...whole('sql-statement', sayingOf(sqlPhrases, withoutComments(value.toLowerCase())), value),
      ...whole('path-escape', escapeOf(value), value),
      ...(more ? whole('internal-address', 0.8, value) : []),
    ]
  }
  return (value) => {
    const read = withoutEscapes(value)
    if (read === value) return found(value)
    // Places are those of the value as it is written.
    const hidden = found(read).map((one) => ({ ...one, start: 0, end: value.length }))
    const open = found(value)
    return [...open, ...hidden.filter((one) => !open.some((other) => isSame(one, other)))]
  }
}

/** That one says as much as the other: it has as high a score, and a list of hosts lets both pass or none. */
const isSame = (one: Finding, other: Finding): boolean =>
  one.rule === other.rule && one.host === other.host && one.score <= other.score

/** JSON in a string, or in a program, may write any character as a number. */
const withoutEscapes = (value: string): string =>
  value.includes('\\u')
    ? value.replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : value

const finding = (
  rule: ArgumentRule,
  place: { readonly start: number; readonly end: number; readonly score: number },
  more: { readonly evidence?: readonly string[]; readonly host?: string } = {},
): Finding => ({ rule, category: argumentRules[rule], evidence: [], ...place, ...more })

const whole = (rule: ArgumentRule, score: number, value: string): readonly Finding[] =>
  score > 0 ? [finding(rule, { start: 0, end: value.length, score })] : []

/** Schemes that reach files and services which no web address is meant to reach. */
const LOCAL_SCHEMES: ReadonlySet<string> = new Set([
  'file',
  'gopher',
  'dict',
  'ldap',
  'ldaps',
  'tftp',
  'jar',
  'netdoc',
  'phar',
  'php',
  'expect',
  'smb',
  'unix',
])

/** In which the host is one of the network; in others it may be a bucket or a database. */
const NETWORK_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss', 'ftp'])

interface Around {
  readonly origins: Origins
  /** The argument is no document, in which an address is an example. */
  readonly surely: boolean
}

const ofAddress = (address: Address, { origins, surely }: Around): readonly Finding[] => {
  const { start, end, host, scheme } = address
  const found: Finding[] = []
  const inside = NETWORK_SCHEMES.has(scheme) ? insideOf(host) : undefined
  if (inside !== undefined || LOCAL_SCHEMES.has(scheme)) {
    const evidence = [inside === 'metadata' ? 'metadata' : LOCAL_SCHEMES.has(scheme) ? 'scheme' : 'host']
    const score = surely || inside === 'metadata' ? 1 : 0.6
    found.push(finding(ruleFor(inside), { start, end, score }, { evidence, host }))
  }
  const origin = origins(address.name)
  if (origin !== 'caller') {
    const score = origin === 'untrusted' ? 0.9 : 0.6
    found.push(
      finding('untrusted-destination', { start, end, score }, { evidence: [`from:${origin}`], host }),
    )
  }
  return found
}

/** An argument that is a host alone. Numbers are numbers: only what has the dots of an address, or a known name, counts. */
const bareHost = (value: string): readonly Finding[] => {
  const text = value.trim()
  if (text.length > 253 || text === '' || /[\s@]|\/\//.test(text) || !looksLikeHost(text)) return []
  const host = (URL.parse(`http://${text}`) ?? URL.parse(`http://[${text}]`))?.hostname.replace(/\.$/, '')
  if (host === undefined) return []
  const inside = insideOf(host)
  const isAddress = /^[\d.]+$|^\[/.test(host) || host === 'localhost'
  if (inside === undefined || !(isAddress || inside === 'metadata')) return []
  const score = inside === 'metadata' ? 1 : 0.6
  return [finding(ruleFor(inside), { start: 0, end: value.length, score }, { evidence: [inside], host })]
}

const ruleFor = (inside: Inside): ArgumentRule =>
  inside === 'loopback' ? 'loopback-address' : 'internal-address'

/**
 * What else clients take for an address: a scheme with one slash or none, tabs and line ends inside, a `\` that ends the host for one
 * and its user name for another, the metadata service without a scheme.
 */
const asClientsRead = (value: string): readonly Finding[] => {
  if (value.length > SHORT) return []
  const place = { start: 0, end: value.length }
  const words = value.split(/[\s"'`<>=,;|]+/).slice(0, MOST_WORDS)
  const joined = /[\t\r\n]/.test(value) ? [value.trim().replaceAll(/[\t\r\n]/g, '')] : []
  const hosts = new Set([...joined, ...words].flatMap(hostsOf))
  const isWhole = joined.some((one) => !one.includes(' ')) || isOneLine(value)
  const found = [...hosts].flatMap((host) => {
    const inside = insideOf(host)
    if (inside === undefined) return []
    const evidence = [inside === 'metadata' ? 'metadata' : 'host']
    const score = inside === 'metadata' || isWhole ? 1 : 0.6
    return [finding(ruleFor(inside), { ...place, score }, { evidence, host })]
  })
  if (found.length > 0) return found
  const isFile = words.some((word) => /file:[/\\](?![/\\])/i.test(word))
  const score = isOneLine(value) ? 1 : 0.6
  return isFile ? [finding('internal-address', { ...place, score }, { evidence: ['scheme'] })] : []
}

const MOST_WORDS = 64

/** Of one word. `http:8080` is a port, `http:read` a permission, `metadata` a word. */
const hostsOf = (word: string): readonly string[] => {
  const [, rest] = /^[^a-z\d]{0,8}(?:https?|wss?|ftp):(.*)$/is.exec(word) ?? []
  if (rest === undefined) {
    return looksLikeHost(word)
      ? [hostOf(`http://${word}`)].filter((host) => insideOf(host) === 'metadata')
      : []
  }
  if (!/^[/\\]/.test(rest) && !looksLikeHost(rest)) return []
  return [rest, rest.replaceAll(/(?<=[^/\\])\\/g, '%5c')].map((one) => hostOf(`http:${one}`))
}

const hostOf = (url: string): string => URL.parse(url)?.hostname.replace(/\.+$/, '') ?? ''

/** Not a version, a time or an amount. */
const looksLikeHost = (text: string): boolean =>
  /^localhost\b|^metadata\.|^\[|::|^[a-f\dx]+(?:\.[a-f\dx]+){3}|[a-z]\.[a-z]/i.test(text)

type Origins = (name: string) => 'caller' | 'untrusted' | 'nowhere'

/** Whose idea an address was. Only where somebody else spoke too: otherwise it can only be the caller's, or the model's own. */
const originsOf = (said: readonly Text[]): Origins => {
  const foreign = said.filter(isForeign)
  if (foreign.length === 0) return () => 'caller'
  const trusted = said.filter((text) => !isForeign(text) && (text.role === 'user' || text.role === 'system'))
  // Most arguments name no address.
  let lower: { readonly trusted: string; readonly foreign: string } | undefined
  return (name) => {
    lower ??= { trusted: joined(trusted), foreign: joined(foreign) }
    if (isNamed(lower.trusted, name)) return 'caller'
    return lower.foreign.includes(name) ? 'untrusted' : 'nowhere'
  }
}

/** As a whole: `b@corp.example` is not `bob@corp.example`, and `hub.co` no part of `github.company.example`. */
const isNamed = (text: string, name: string): boolean => {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + name.length)) {
    const before = text.slice(Math.max(0, at - 1), at)
    const after = text.slice(at + name.length, at + name.length + 2)
    const begins = name.includes('@') ? !/[\w.+%-]/.test(before) : !/[\w-]/.test(before)
    if (begins && !/^(?:[\w-]|\.\w)/.test(after)) return true
  }
  return false
}

const joined = (texts: readonly Text[]): string => texts.map(({ value }) => value.toLowerCase()).join('\n')

const isForeign = ({ role, channel }: Text): boolean =>
  role === 'tool' || channel === 'tool_result' || channel === 'document'

const PIECE = 4096
const OVERLAP = 768
const SHORT = 2048

/** In pieces that overlap by more than the longest phrase. The whole argument is the finding: what it says belongs together. */
const sayingOf = (phrases: readonly Phrase[], text: string): number => {
  const isShort = isOneLine(text)
  const isWhole = isStatement(text)
  let score = 0
  for (let from = 0; from === 0 || from + OVERLAP < text.length; from += PIECE - OVERLAP) {
    const piece = text.slice(from, from + PIECE)
    for (const one of phrases) {
      if (one.score > score && (isShort || !one.short) && !(isWhole && one.piece) && one.pattern.test(piece))
        score = one.score
    }
  }
  return score
}

const isOneLine = (text: string): boolean => text.length <= SHORT && !/[\n\r]/.test(text.trim())

const withoutComments = (sql: string): string => {
  if (!sql.includes('/*')) return sql
  let out = ''
  let from = 0
  for (;;) {
    const open = sql.indexOf('/*', from)
    const close = open === -1 ? -1 : sql.indexOf('*/', open + 2)
    if (open === -1 || close === -1) return out + sql.slice(from)
    out += `${sql.slice(from, open)} `
    from = close + 2
  }
}
