import { Refusal } from '../core/refusal.ts'

/** A bad credential. The reason goes to the log only, and never quotes the credential. */
export const badCredential = (reason: string): Refusal =>
  new Refusal('unauthenticated', { cause: new Error(reason) })

/** The credential may be good, but there is no way to tell at the moment. */
export const cannotCheck = (reason: string, cause?: unknown): Refusal =>
  new Refusal('guard_unavailable', { cause: new Error(reason, { cause }), headers: { 'retry-after': '1' } })
