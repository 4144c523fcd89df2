import { createPublicKey } from 'node:crypto'
import { certificatesIn } from './certificate.ts'
import { contentOf } from './content.ts'
import { trustedRootIn } from './keyless.ts'
import type { Trust } from './signature.ts'

/** Options of the command line, named as those of `model_signing verify`; the trusted root as for cosign. */
export const TRUST_OPTIONS = {
  'public-key': { type: 'string' },
  'certificate-chain': { type: 'string' },
  'trusted-root': { type: 'string' },
  identity: { type: 'string' },
  'identity-provider': { type: 'string' },
} as const

/** Whose signature counts, and the file that says so. */
export type TrustFile =
  | { readonly method: 'key' | 'certificate'; readonly file: string }
  | {
      readonly method: 'sigstore'
      readonly file: string
      readonly identity: string
      readonly identityProvider: string
    }

const MAX_FILE = 1 << 20 // Bytes: ten times the roots of an operating system.
const MAX_NAMES = 240 // Characters of both: records keep 256 of who signed.

/** Throws an Error that says what to do when none or several methods are chosen. */
export const trustFileIn = (
  options: Partial<Readonly<Record<keyof typeof TRUST_OPTIONS, string>>>,
): TrustFile => {
  const { identity, 'identity-provider': identityProvider } = options
  const keyOrChain = options['public-key'] ?? options['certificate-chain']
  const root = options['trusted-root']
  const given = [options['public-key'], options['certificate-chain'], root].filter(
    (file) => file !== undefined,
  )
  if (given.length !== 1)
    throw new Error(
      'say whose signature counts: with one of --public-key, --certificate-chain and --trusted-root',
    )
  if (keyOrChain !== undefined) {
    if ((identity ?? identityProvider) !== undefined)
      throw new Error('--identity and --identity-provider go with --trusted-root only')
    return { method: options['public-key'] === undefined ? 'certificate' : 'key', file: keyOrChain }
  }
  const names = {
    identity: named(identity, '--identity'),
    identityProvider: named(identityProvider, '--identity-provider'),
  }
  if (names.identity.length + names.identityProvider.length > MAX_NAMES)
    throw new Error(`--identity and --identity-provider have more than ${MAX_NAMES} characters together`)
  return { method: 'sigstore', file: root ?? '', ...names }
}

/** Throws an Error that says what to do when the file is not what it should be. Certificates must be valid `at` that time. */
export const readTrust = async (trust: TrustFile, at: Date): Promise<Trust> => {
  const { what, problem } = FILES[trust.method]
  const text = await contentOf(trust.file, { what, most: MAX_FILE })
  try {
    switch (trust.method) {
      case 'key':
        return { method: 'key', publicKey: createPublicKey(text) }
      case 'certificate':
        return { method: 'certificate', certificates: certificatesIn(text), at }
      case 'sigstore':
        return { ...trust, trusted: trustedRootIn(text) }
    }
  } catch (cause) {
    throw new Error(`${trust.file}: ${problem}`, { cause })
  }
}

const FILES = {
  key: { what: 'public key', problem: 'is no public key as PEM' },
  certificate: { what: 'certificate chain', problem: 'has no certificates as PEM' },
  sigstore: { what: 'trusted root', problem: 'is no trusted root of Sigstore (trusted_root.json)' },
} as const

const named = (value: string | undefined, option: string): string => {
  if (value !== undefined && value !== '') return value
  throw new Error(
    `${option} is missing: anybody can sign under Sigstore, so --trusted-root needs the name and who vouches for it`,
  )
}
