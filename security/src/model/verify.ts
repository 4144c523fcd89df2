import { relative, sep } from 'node:path'
import { contentOf } from './content.ts'
import { manifestOf, modelDigest, shown, WHOLE } from './manifest.ts'
import { openSignature } from './signature.ts'
import { readTrust, type TrustFile } from './trust.ts'

export interface VerifyOptions {
  readonly folder: string
  readonly signatureFile: string
  /** Whose signature counts. */
  readonly trust: TrustFile
  /** SHA-256 that the model must have, in hex. Without it any model that they signed is good, also an older one. */
  readonly digest?: string
  /** When certificates must be valid; now when absent. */
  readonly at?: Date
}

export interface Verified {
  /** Name in the signed statement. */
  readonly name: string
  /** SHA-256 over the digests of the files, in hex. */
  readonly digest: string
  /** As `Signed.signer` of signature.ts. */
  readonly signer: string
  readonly files: number
}

const MAX_NAMED = 5
const MAX_SIGNATURE = 32 << 20 // Bytes: what a hundred thousand files need.

/**
 * Throws an Error that names the files that differ, are missing, or are there and were never signed, and one that says what to do
 * when the signature, or what it is verified with, is missing, too large (32 and 1 MiB) or wrong.
 */
export const verifyModel = async ({
  folder,
  signatureFile,
  trust,
  digest,
  at = new Date(),
}: VerifyOptions): Promise<Verified> => {
  const trusted = await readTrust(trust, at)
  const { manifest: signed, signer } = openSignature(
    await contentOf(signatureFile, { what: 'signature', most: MAX_SIGNATURE }),
    trusted,
  )
  const signedDigest = modelDigest(signed.resources)
  if (digest !== undefined && digest !== signedDigest)
    throw new Error(
      `${folder} is signed, but it is not the model that was asked for: its SHA-256 is ${signedDigest}, not ${digest}`,
    )
  const found = await manifestOf(folder, {
    ...signed,
    ignored: [...signed.ignored, inside(folder, signatureFile)],
  })
  const there = new Map(found.resources.map(({ name, digest }) => [name, digest]))
  const known = new Set(signed.resources.map(({ name }) => name))
  const problems = [
    ...signed.resources.flatMap(({ name, digest }) => {
      const now = there.get(name)
      return now === undefined
        ? [`${called(name)} is missing`]
        : now === digest
          ? []
          : [`${called(name)} was changed`]
    }),
    ...found.resources.flatMap(({ name }) => (known.has(name) ? [] : [`${called(name)} was not signed`])),
  ]
  if (problems.length > 0) {
    const more = problems.length > MAX_NAMED ? ` and ${problems.length - MAX_NAMED} more` : ''
    throw new Error(
      `${folder} is not what was signed: ${problems.slice(0, MAX_NAMED).join(', ')}${more}. Fetch the signed files again; if the change was meant, sign it`,
    )
  }
  return {
    name: signed.name,
    digest: signedDigest,
    signer,
    files: signed.resources.length,
  }
}

const called = (name: string): string => (name === WHOLE ? 'the file' : shown(name))

/** A signature cannot sign itself; it may lie beside the files. */
export const inside = (folder: string, file: string): string => relative(folder, file).split(sep).join('/')
