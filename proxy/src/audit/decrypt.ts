import { hash } from 'node:crypto'
import { compactDecrypt } from 'jose'
import { z } from 'zod'
import type { AuditorKey } from './capture-key.ts'
import { linesOf } from './lines.ts'

/** A captured text as its auditor reads it. */
export interface Captured {
  readonly id: string
  readonly tenant: string
  readonly written: string
  readonly direction: 'request' | 'response'
  readonly path: string
  readonly text: string
  /** SHA-256 of the text, and of the line, which the record of the exchange has as `capture`. */
  readonly sha256: string
  readonly line: string
}

/** A line that cannot be read, and why. */
export interface Unread {
  readonly file: string
  /** From 1. */
  readonly number: number
  readonly why: 'torn' | 'not_a_capture' | 'other_key' | 'forged'
}

const lineSchema = z.strictObject({
  v: z.literal(1),
  id: z.string(),
  tenant: z.string(),
  written: z.string(),
  jwe: z.string(),
})

const insideSchema = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  direction: z.enum(['request', 'response']),
  path: z.string(),
  sha256: z.string(),
  text: z.string(),
})

export interface DecryptOptions {
  readonly key: AuditorKey
  /** Only this exchange. */
  readonly id: string | undefined
}

/** Above what a body may have at most, encrypted and in base64. */
const LONGEST = 512 << 20

/** Every captured text of a file, in its order, in bounded memory. */
export async function* captured(
  file: string,
  { key, id }: DecryptOptions,
): AsyncGenerator<Captured | Unread> {
  let number = 0
  for await (const batch of linesOf(file, { longest: LONGEST })) {
    for (const { bytes, whole } of batch) {
      number += 1
      if (bytes.length === 0) continue
      const line = parsed(lineSchema, bytes)
      if (line === undefined) yield { file, number, why: whole ? 'not_a_capture' : 'torn' }
      else if (id === undefined || line.id === id) {
        const text = await opened(line, key)
        yield typeof text === 'string'
          ? { file, number, why: text }
          : { ...text, written: line.written, line: hash('sha256', bytes) }
      }
    }
  }
}

const opened = async (
  line: z.infer<typeof lineSchema>,
  { key }: AuditorKey,
): Promise<z.infer<typeof insideSchema> | 'other_key' | 'forged'> => {
  const plain = await compactDecrypt(line.jwe, key, {
    keyManagementAlgorithms: ['ECDH-ES+A256KW'],
    contentEncryptionAlgorithms: ['A256GCM'],
  }).catch(() => undefined)
  if (plain === undefined) return 'other_key'
  const inside = parsed(insideSchema, Buffer.from(plain.plaintext))
  // Anybody can encrypt to the auditor: what counts is that the record names this line.
  const fits =
    inside?.id === line.id && inside.tenant === line.tenant && hash('sha256', inside.text) === inside.sha256
  return inside !== undefined && fits ? inside : 'forged'
}

const parsed = <T>(schema: z.ZodType<T>, bytes: Buffer): T | undefined => {
  try {
    return schema.safeParse(JSON.parse(bytes.toString('utf8'))).data
  } catch {
    return undefined
  }
}
