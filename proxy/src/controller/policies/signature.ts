import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { isObject, type Json } from '../../core/json.ts'

export interface SigningKey {
  readonly keyid: string
  /** P-256. */
  readonly privateKey: KeyObject
}

/** Files whose hash is over what they say, not how it is written (bundle format of OPA). */
const STRUCTURED = new Set(['.manifest', 'data.json'])

/** Content of `.signatures.json`: one ES256 JWT over the hashes of all files, as OPA's bundle format defines it. */
export const signFiles = (files: ReadonlyMap<string, Uint8Array>, key: SigningKey): Uint8Array => {
  const payload = { files: hashes(files), iat: Math.floor(Date.now() / 1000), keyid: key.keyid }
  const signed = `${encode({ alg: 'ES256', kid: key.keyid, typ: 'JWT' })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return Buffer.from(JSON.stringify({ signatures: [`${signed}.${signature.toString('base64url')}`] }))
}

/** Whether the content of `.signatures.json` is by this key and over exactly these files. Never throws. */
export const signedBy = (
  files: ReadonlyMap<string, Uint8Array>,
  signatures: Uint8Array,
  key: SigningKey,
): boolean => {
  try {
    const { signatures: tokens } = JSON.parse(Buffer.from(signatures).toString()) as { signatures: string[] }
    const [head = '', body = '', mark = '', ...more] = tokens.length === 1 ? (tokens[0] ?? '').split('.') : []
    const publicKey = createPublicKey(key.privateKey)
    const { files: named } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { files: unknown }
    return (
      more.length === 0 &&
      head === encode({ alg: 'ES256', kid: key.keyid, typ: 'JWT' }) &&
      JSON.stringify(named) === JSON.stringify(hashes(files)) &&
      verify(
        'sha256',
        Buffer.from(`${head}.${body}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(mark, 'base64url'),
      )
    )
  } catch {
    return false
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const hashes = (files: ReadonlyMap<string, Uint8Array>): readonly object[] =>
  [...files.keys()].sort().map((name) => ({
    name,
    hash: createHash('sha256')
      .update(hashed(name, files.get(name) ?? new Uint8Array()))
      .digest('hex'),
    algorithm: 'SHA-256',
  }))

const hashed = (name: string, bytes: Uint8Array): Uint8Array | string =>
  STRUCTURED.has(name) ? canonical(JSON.parse(Buffer.from(bytes).toString()) as Json) : bytes

/** As OPA hashes JSON: members in the byte order of their keys, no blanks, strings as Go's encoder writes them. Numbers are as JavaScript writes them, so the file must be written by JavaScript too. */
const canonical = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map((inner: Json) => canonical(inner)).join(',')}]`
  if (!isObject(value)) return primitive(value)
  const members = Object.entries(value)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([key, inner]) => `${primitive(key)}:${canonical(inner)}`)
  return `{${members.join(',')}}`
}

const primitive = (value: Json): string =>
  JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
