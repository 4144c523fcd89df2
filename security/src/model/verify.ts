import { readFile } from 'node:fs/promises'
import { createPublicKey } from 'node:crypto'
import { relative, sep } from 'node:path'
import { manifestOf, modelDigest } from './manifest.ts'
import { keyId, openSignature } from './signature.ts'

export interface VerifyOptions {
  readonly folder: string
  readonly signatureFile: string
  /** PEM, ECDSA on P-256. */
  readonly publicKeyFile: string
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

/** Throws an Error that names the files that differ, are missing, or are there and were never signed. */
export const verifyModel = async ({
  folder,
  signatureFile,
  publicKeyFile,
}: VerifyOptions): Promise<Verified> => {
  const publicKey = createPublicKey(await readFile(publicKeyFile))
  const signed = openSignature(await readFile(signatureFile, 'utf8'), publicKey)
  const found = await manifestOf(folder, {
    ...signed,
    ignored: [...signed.ignored, inside(folder, signatureFile)],
  })
  const there = new Map(found.resources.map(({ name, digest }) => [name, digest]))
  const known = new Set(signed.resources.map(({ name }) => name))
  const problems = [
    ...signed.resources.flatMap(({ name, digest }) => {
      const now = there.get(name)
      return now === undefined ? [`${name} is missing`] : now === digest ? [] : [`${name} was changed`]
    }),
    ...found.resources.flatMap(({ name }) => (known.has(name) ? [] : [`${name} was not signed`])),
  ]
  if (problems.length > 0) {
    const more = problems.length > MAX_NAMED ? ` and ${problems.length - MAX_NAMED} more` : ''
    throw new Error(`${folder} is not what was signed: ${problems.slice(0, MAX_NAMED).join(', ')}${more}`)
  }
  return {
    name: signed.name,
    digest: modelDigest(signed.resources),
    signer: keyId(publicKey),
    files: signed.resources.length,
  }
}

/** A signature cannot sign itself; it may lie beside the files. */
export const inside = (folder: string, file: string): string => relative(folder, file).split(sep).join('/')
