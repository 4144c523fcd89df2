import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import type { Answer } from '../https-server.ts'

/** The API server takes requests of 3 MiB, and a review holds an object once or twice. */
export const MAX_REVIEW = 4 * 1024 * 1024

const MAX_DEPTH = 100

const name = z.string().max(253)

const reviewSchema = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid: z.string().min(1).max(128),
    kind: z.looseObject({ group: name, version: name, kind: name }),
    subResource: name.optional(),
    namespace: z.string().max(63).optional(),
    operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    object: z.unknown(),
  }),
})

export type ReviewRequest = z.output<typeof reviewSchema>['request']

/** What becomes of the object. */
export type Verdict =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'patched'; readonly patch: readonly unknown[]; readonly warnings: readonly string[] }
  /** A sentence for the one who sent the object. */
  | { readonly kind: 'refused' | 'failed'; readonly message: string }

/**
 * The request of an AdmissionReview v1. Throws Error with a message that quotes nothing of it: the answer is then an HTTP error, which the API
 * server treats as `failurePolicy` says.
 */
export const readReview = (bytes: Uint8Array): ReviewRequest => {
  const parsed = reviewSchema.safeParse(parseJson(bytes), { reportInput: false })
  if (parsed.success) return parsed.data.request
  const path = parsed.error.issues[0]?.path.map(String).join('.') ?? ''
  throw new Error(
    `the body is not an AdmissionReview of admission.k8s.io/v1 (${path === '' ? 'content' : path})`,
  )
}

export const reviewAnswer = (uid: string, verdict: Verdict): Answer => ({
  status: 200,
  body: {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, ...response(verdict) },
  },
})

const response = (verdict: Verdict): Readonly<Record<string, unknown>> => {
  switch (verdict.kind) {
    case 'unchanged':
      return { allowed: true }
    case 'patched':
      return {
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(verdict.patch)).toString('base64'),
        ...(verdict.warnings.length > 0 && { warnings: verdict.warnings.slice(0, 16).map(clip) }),
      }
    case 'refused':
      return { allowed: false, status: { code: 403, reason: 'Forbidden', message: verdict.message } }
    case 'failed':
      return { allowed: false, status: { code: 500, reason: 'InternalError', message: verdict.message } }
  }
}

/** The API server cuts longer warnings, and drops all beyond 4096 characters. */
const clip = (text: string): string => (text.length > 250 ? `${text.slice(0, 249)}…` : text)

const parseJson = (bytes: Uint8Array): unknown => {
  if (bytes.length > MAX_REVIEW) throw new Error('the review is too large')
  if (!isUtf8(bytes)) throw new Error('the body is not valid UTF-8')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (depthOf(text) > MAX_DEPTH) throw new Error(`the review is nested deeper than ${MAX_DEPTH}`)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('the body is not valid JSON')
  }
}

/** Brackets outside strings, in one pass. */
const depthOf = (text: string): number => {
  let depth = 0
  let most = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === 0x5c) at++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b || code === 0x5b) most = Math.max(most, ++depth)
    else if (code === 0x7d || code === 0x5d) depth--
  }
  return most
}
