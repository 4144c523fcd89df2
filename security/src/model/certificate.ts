import { X509Certificate } from 'node:crypto'
import { elements, extensionsOf } from './extensions.ts'
import { shown } from './manifest.ts'

const MAX_CERTIFICATES = 1000

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
const ANY_USAGE = '2.5.29.37.0'
const KEY_USAGE = '551d0f'
/**
 * Extensions that may be critical: key usage, alternative name, basic constraints, policies (none is asked for), authority key
 * and extended key usage. Others, such as name constraints, restrict in ways that are not checked here.
 */
const KNOWN = new Set([KEY_USAGE, '551d11', '551d13', '551d20', '551d23', '551d25'])

/** The certificates of a PEM text, in their order. Throws an Error for none, for more than 1000, and for what is none. */
export const certificatesIn = (pem: string): readonly X509Certificate[] => {
  const blocks = pem.split('-----END CERTIFICATE-----').slice(0, -1)
  if (blocks.length === 0 || blocks.length > MAX_CERTIFICATES) throw new Error('no certificates, or too many')
  return blocks.map((block) => new X509Certificate(`${block}-----END CERTIFICATE-----\n`))
}

/** The subject on one line, at most 100 characters; the fingerprint when it has none. */
export const nameOf = ({ subject, fingerprint256 }: X509Certificate): string =>
  shown((subject as string | undefined)?.split('\n').join(', ') ?? '') ||
  `SHA-256 ${fingerprint256.replaceAll(':', '').toLowerCase()}`

/**
 * Throws an Error that says what to do unless the certificate may sign models: it signs no other certificates, its key usage has
 * digitalSignature, and its extended key usage codeSigning. With `unless-limited` it needs only one of the two, as for `model_signing`.
 */
export const requireSigner = (leaf: X509Certificate, extended: 'named' | 'unless-limited'): void => {
  const who = `the certificate that signed (${nameOf(leaf)})`
  if (leaf.ca) throw new Error(`${who} is that of a certificate authority; sign with one that it issued`)
  const usage = extensionsOf(leaf.raw).get(KEY_USAGE)?.value
  if (usage !== undefined && !hasDigitalSignature(usage))
    throw new Error(`${who} is not for signatures: its key usage has no digitalSignature`)
  const isSilent = extendedUsage(leaf) === undefined
  if (isSilent && (extended === 'named' || usage === undefined))
    throw new Error(
      `${who} does not say that it is for signing code: it has no extended key usage codeSigning`,
    )
  const limit = limitOf(leaf)
  if (limit !== undefined) throw new Error(`${who} ${limit}`)
}

/** Why its extensions forbid it to sign code, or certificates of those who do; undefined when they do not. */
export const limitOf = (certificate: X509Certificate): string | undefined => {
  const usage = extendedUsage(certificate)
  if (usage !== undefined && !usage.includes(CODE_SIGNING) && !usage.includes(ANY_USAGE))
    return 'is not for signing code: its extended key usage has no codeSigning'
  for (const [id, { critical }] of extensionsOf(certificate.raw))
    if (critical && !KNOWN.has(id)) return `has a critical extension that is not checked here (${id})`
  return undefined
}

/** Node.js has the extended key usage under this name, and nothing for a certificate without. */
const extendedUsage = ({ keyUsage }: X509Certificate): readonly string[] | undefined => keyUsage

/** A bit string: how many bits of the last byte are unused, then the bits, of which it is the first. */
const hasDigitalSignature = (value: Buffer): boolean => ((elements(value)[0]?.content[1] ?? 0) & 0x80) !== 0
