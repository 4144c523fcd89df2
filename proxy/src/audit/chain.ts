import { hash } from 'node:crypto'
import type { Signer, Verifier } from './keys.ts'

/** Names one line of the chain: its number and the SHA-256 of its bytes, without the newline, in hex. */
export interface Link {
  readonly seq: number
  readonly hash: string
}

/** What comes before line 1. */
export const START: Link = { seq: 0, hash: '0'.repeat(64) }

export type LineType =
  | 'open'
  | 'begin'
  | 'exchange'
  | 'checkpoint'
  | 'rotate'
  | 'close'
  | 'retention'
  | 'carry'
  | 'lost'
  | 'recovered'
  | 'response'
  | 'feedback'

/** A line before it has its place in the chain. */
export interface Entry {
  readonly type: LineType
  /** The exchange it is about. */
  readonly id: string | undefined
  /** The members after the common ones, as JSON, each with a comma before it. */
  readonly members: string
}

/** What every line begins with. */
export interface Header {
  readonly seq: number
  readonly type: LineType
  readonly prev: string
  /** RFC 3339, UTC, milliseconds: when the line was put into the chain. */
  readonly written: string
  readonly id: string | undefined
}

/** Lines that say something about the log itself carry a signature, which covers all lines before them through `prev`. */
export const SIGNED: ReadonlySet<string> = new Set<LineType>([
  'open',
  'checkpoint',
  'rotate',
  'close',
  'retention',
])

const TYPES: ReadonlySet<string> = new Set<LineType>([
  ...SIGNED,
  ...['begin', 'exchange', 'carry', 'lost', 'recovered', 'response', 'feedback'],
] as LineType[])

export interface Stamp {
  readonly written: string
  readonly signer: Signer
}

/** Appends the entries to the chain that ends in `link`: the text to write and where the chain ends then. */
export const chained = (
  link: Link,
  entries: readonly Entry[],
  stamp: Stamp,
): { text: string; link: Link } => {
  let text = ''
  let { seq, hash: prev } = link
  for (const { type, id, members } of entries) {
    seq += 1
    const about = id === undefined ? '' : `,"id":${JSON.stringify(id)}`
    const open = `{"v":1,"seq":${seq},"type":"${type}","prev":"${prev}","written":"${stamp.written}"${about}${members}`
    const line = SIGNED.has(type) ? signed(open, stamp.signer) : `${open}}`
    prev = hash('sha256', line)
    text += `${line}\n`
  }
  return { text, link: { seq, hash: prev } }
}

const DOMAIN = 'postern audit line 1\n'
const SIGNATURE = ',"signature":"'
const SIGNATURE_END = SIGNATURE.length + 88 + '"}'.length

const signed = (open: string, signer: Signer): string => {
  const body = `${open},"key":"${signer.keyId}"`
  return `${body}${SIGNATURE}${signer.sign(DOMAIN + body)}"}`
}

// Every part is of fixed or bounded length, and the text it is tried on is too.
const HEADER =
  /^\{"v":1,"seq":([1-9]\d{0,15}),"type":"([a-z]{1,16})","prev":"([0-9a-f]{64})","written":"([-\d:.TZ]{24})"(?:,"id":"([^"\\]{1,128})")?/
const HEADER_MAX = 320

/** Undefined when the line does not begin exactly as the guard writes it. */
export const headerOf = (line: Buffer): Header | undefined => {
  const match = HEADER.exec(line.toString('utf8', 0, Math.min(line.length, HEADER_MAX)))
  if (match === null || line.at(-1) !== CLOSE_BRACE) return undefined
  const [, seq = '', type = '', prev = '', written = '', id] = match
  return TYPES.has(type) ? { seq: Number(seq), type: type as LineType, prev, written, id } : undefined
}

const CLOSE_BRACE = 0x7d

/** `unsigned` for a kind of line that carries no signature. */
export const signatureOf = (
  line: Buffer,
  type: LineType,
  verifier: Verifier,
): 'good' | 'bad' | 'key_unknown' | 'unsigned' => {
  if (!SIGNED.has(type)) return 'unsigned'
  const text = line.toString('utf8')
  const body = text.slice(0, -SIGNATURE_END)
  const key = /,"key":"([0-9a-f]{16})"$/.exec(body.slice(-26))?.[1]
  if (key === undefined || !text.startsWith(SIGNATURE, body.length)) return 'bad'
  const good = verifier(key, DOMAIN + body, text.slice(body.length + SIGNATURE.length, -2))
  return good === undefined ? 'key_unknown' : good ? 'good' : 'bad'
}

export const hashOf = (line: Buffer): string => hash('sha256', line)
