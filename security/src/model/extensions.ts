/** An X.509 extension (RFC 5280, 4.2). */
export interface Extension {
  readonly critical: boolean
  /** DER. */
  readonly value: Buffer
}

/** An ASN.1 element. */
export interface Element {
  readonly tag: number
  readonly content: Buffer
}

const SEQUENCE = 0x30
const EXTENSIONS = 0xa3
const BOOLEAN = 0x01

/** By object identifier, in hex without tag and length. Throws an Error for what is no certificate, and for an extension that is there twice. */
export const extensionsOf = (certificate: Buffer): ReadonlyMap<string, Extension> => {
  const [root] = elements(certificate)
  const [tbs] = elements(expected(root, SEQUENCE))
  const wrapped = elements(expected(tbs, SEQUENCE)).find(({ tag }) => tag === EXTENSIONS)
  const found = new Map<string, Extension>()
  if (wrapped === undefined) return found
  const [list] = elements(wrapped.content)
  for (const extension of elements(expected(list, SEQUENCE))) {
    const parts = elements(expected(extension, SEQUENCE))
    const id = parts[0]?.content.toString('hex') ?? ''
    const value = parts.at(-1)?.content
    if (value === undefined || found.has(id)) throw malformed()
    found.set(id, { critical: parts[1]?.tag === BOOLEAN && parts[1].content[0] !== 0, value })
  }
  return found
}

/** Elements that stand one after another: DER, with lengths below 16 MiB. Throws an Error for anything else. */
export const elements = (der: Buffer): readonly Element[] => {
  const found: Element[] = []
  let at = 0
  while (at < der.length) {
    const first = der[at + 1] ?? 0xff
    const size = first < 0x80 ? 0 : first & 0x7f
    const start = at + 2 + size
    if (size > 3 || first === 0x80 || start > der.length) throw malformed()
    const length = size === 0 ? first : der.readUIntBE(at + 2, size)
    if (start + length > der.length) throw malformed()
    found.push({ tag: der[at] ?? 0, content: der.subarray(start, start + length) })
    at = start + length
  }
  return found
}

const expected = (element: Element | undefined, tag: number): Buffer => {
  if (element?.tag !== tag) throw malformed()
  return element.content
}

const malformed = (): Error => new Error('a certificate of the signature is malformed')
