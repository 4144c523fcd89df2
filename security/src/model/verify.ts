import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { relative, sep } from 'node:path'
import { manifestOf, modelDigest, shown } from './manifest.ts'
import { keyId, openSignature } from './signature.ts'

export interface VerifyOptions {
  readonly folder: string
  readonly signatureFile: string
  /** PEM, ECDSA on P-256. */
  readonly publicKeyFile: string
  /** SHA-256 that the model must have, in hex. Without it any model that the key signed is good, also an older one. */
  readonly digest?: string
}

export interface Verified {
  /** Name in the signed statement. */
  readonly name: string
  /** SHA-256 over the digests of the files, in hex. */
  readonly digest: string
  /** SHA-256 of the public key. */
  readonly signer: string
  readonly files: number
}

const MAX_NAMED = 5
const MAX_SIGNATURE = 32 << 20 // Bytes: what a hundred thousand files need.
const MAX_KEY = 64 << 10

/**
 * Throws an Error that names the files that differ, are missing, or are there and were never signed, and one that says what to do
 * when signature or key are missing, too large (32 MiB and 64 KiB) or wrong.
 */
export const verifyModel = async ({
  folder,
  signatureFile,
  publicKeyFile,
  digest,
}: VerifyOptions): Promise<Verified> => {
  const publicKey = keyIn(
    await contentOf(publicKeyFile, { what: 'public key', most: MAX_KEY }),
    publicKeyFile,
  )
  const signed = openSignature(
    await contentOf(signatureFile, { what: 'signature', most: MAX_SIGNATURE }),
    publicKey,
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
        ? [`${shown(name)} is missing`]
        : now === digest
          ? []
          : [`${shown(name)} was changed`]
    }),
    ...found.resources.flatMap(({ name }) => (known.has(name) ? [] : [`${shown(name)} was not signed`])),
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
    signer: keyId(publicKey),
    files: signed.resources.length,
  }
}

/** A signature cannot sign itself; it may lie beside the files. */
export const inside = (folder: string, file: string): string => relative(folder, file).split(sep).join('/')

interface Limited {
  readonly what: string
  /** Bytes. */
  readonly most: number
}

const contentOf = async (file: string, { what, most }: Limited): Promise<string> => {
  // A named pipe would keep the pod waiting without a word.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new Error(
      (cause as NodeJS.ErrnoException).code === 'ENOENT'
        ? `there is no ${what} at ${file}`
        : `the ${what} cannot be read: ${(cause as Error).message}`,
      { cause },
    )
  })
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Error(`${file}: is no regular file`)
    if (stat.size > most) throw new Error(`${file}: is too large for a ${what}`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

const keyIn = (pem: string, file: string): KeyObject => {
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new Error(`${file}: is no public key as PEM`, { cause })
  }
}
