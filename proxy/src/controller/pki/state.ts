import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { newAuthority, newKey, publicPem, type KeyedCertificate } from './x509.ts'

/** A CA and a key that signs bundles, which begin and end together. */
export interface Generation extends KeyedCertificate {
  /** PKCS#8 PEM, EC P-256. */
  readonly bundleKey: string
  /** From here on it signs; before, it is only trusted. Milliseconds since the epoch, like all times here. */
  readonly signsFrom: number
  readonly notAfter: number
}

/** Oldest first, never empty. Everything that changes with time follows from it and the clock, so all replicas agree without a word. */
export type Generations = readonly Generation[]

export interface GenerationOptions {
  readonly trustDomain: string
  readonly lifeMs: number
  /** How long a new generation is trusted before it signs. */
  readonly settleMs: number
}

/** The Secret is not what we wrote. Its message names the part and says what to do, and holds nothing of the content. */
export class StateError extends Error {
  override readonly name = 'StateError'
}

/** So many rotations would have to fall into the life of one CA. */
const MAX_GENERATIONS = 16
const MAX_LENGTH = 512 * 1024

/** Clocks of nodes differ: a certificate is good a little before it is made. */
export const CLOCK_SKEW_MS = 300_000

const pem = z.string().max(8192)

const stateSchema = z.strictObject({
  version: z.literal(1),
  generations: z
    .array(
      z.strictObject({
        certificate: pem,
        key: pem,
        bundleKey: pem,
        signsFrom: z.iso.datetime(),
      }),
    )
    .min(1)
    .max(MAX_GENERATIONS),
})

/** Throws StateError when a byte of it cannot be trusted: a wrong CA must never be replaced in silence. */
export const readGenerations = (text: string): Generations => {
  const parsed = stateSchema.safeParse(text.length > MAX_LENGTH ? undefined : parse(text), {
    reportInput: false,
  })
  if (!parsed.success) throw broken(`is not what the controller writes (${firstPath(parsed.error)})`)
  return parsed.data.generations.map((one, index) => {
    const generation = { ...one, signsFrom: Date.parse(one.signsFrom), notAfter: checkCa(one, index) }
    checkBundleKey(one.bundleKey, index)
    return generation
  })
}

export const writeGenerations = (generations: Generations): string =>
  JSON.stringify({
    version: 1,
    generations: generations.map(({ certificate, key, bundleKey, signsFrom }) => ({
      certificate,
      key,
      bundleKey,
      signsFrom: new Date(signsFrom).toISOString(),
    })),
  })

export const newGeneration = async (
  options: GenerationOptions,
  at: { readonly now: number; readonly signsFrom: number },
): Promise<Generation> => {
  const notAfter = Math.floor((at.now + options.lifeMs) / 1000) * 1000
  const { certificate, key } = await newAuthority({
    trustDomain: options.trustDomain,
    notBefore: new Date(at.now - CLOCK_SKEW_MS),
    notAfter: new Date(notAfter),
  })
  return { certificate, key, bundleKey: newKey().key, signsFrom: at.signsFrom, notAfter }
}

/** Those that are trusted, the one that signs first. Empty when all have ended. */
export const trustedAt = (generations: Generations, now: number): readonly Generation[] => {
  const alive = generations.filter(({ notAfter }) => notAfter > now)
  const signer = alive.filter(({ signsFrom }) => signsFrom <= now).at(-1) ?? alive[0]
  return signer === undefined ? [] : [signer, ...alive.filter((one) => one !== signer)]
}

/** True when a third of the newest one's life is left. */
export const isRotationDue = (generations: Generations, now: number, lifeMs: number): boolean =>
  (generations.at(-1)?.notAfter ?? 0) - now < lifeMs / 3

/** True when the newest one has signed for as long as it was trusted before: what the others signed is renewed by then. */
export const isSettled = (generations: Generations, now: number, settleMs: number): boolean =>
  (generations.at(-1)?.signsFrom ?? Infinity) + settleMs <= now

/** With a new one at the end, which signs at once when no other can, and without those that have ended. */
export const rotated = async (
  generations: Generations,
  options: GenerationOptions,
  now: number,
): Promise<Generations> => {
  const alive = generations.filter(({ notAfter }) => notAfter > now)
  const signsFrom = alive.length === 0 ? now : now + options.settleMs
  return [...alive.slice(-(MAX_GENERATIONS - 1)), await newGeneration(options, { now, signsFrom })]
}

export const authoritiesPem = (trusted: readonly Generation[]): string =>
  trusted.map(({ certificate }) => certificate.trim()).join('\n') + '\n'

export const bundleKeysPem = (trusted: readonly Generation[]): string =>
  trusted.map(({ bundleKey }) => publicPem(bundleKey)).join('')

const broken = (what: string): StateError =>
  new StateError(
    `${what}. Restore it from a backup; or delete it and restart the controller for a new CA, which all guards then have to learn`,
  )

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const firstPath = (error: z.ZodError): string => {
  const path = error.issues[0]?.path.map(String).join('.') ?? ''
  return path === '' ? 'its content' : path
}

/** Returns the end of the CA. */
const checkCa = ({ certificate, key }: KeyedCertificate, index: number): number => {
  const fail = (why: string): never => {
    throw broken(`generations.${index} ${why}`)
  }
  const read = () => {
    try {
      return { ca: new X509Certificate(certificate), secret: createPrivateKey(key) }
    } catch {
      return fail('has a certificate or key that cannot be read')
    }
  }
  const { ca, secret } = read()
  if (secret.asymmetricKeyDetails?.namedCurve !== 'prime256v1') fail('has a key that is not EC P-256')
  if (!ca.ca || !ca.verify(ca.publicKey)) fail('has a certificate that is not a CA signed by itself')
  if (!ca.checkPrivateKey(secret)) fail('has a key that does not belong to its certificate')
  return Date.parse(ca.validTo)
}

const checkBundleKey = (key: string, index: number): void => {
  try {
    if (createPublicKey(createPrivateKey(key)).asymmetricKeyDetails?.namedCurve === 'prime256v1') return
  } catch {
    // told below, without what the parser says about the key
  }
  throw broken(`generations.${index}.bundleKey is not a private key on EC P-256`)
}
