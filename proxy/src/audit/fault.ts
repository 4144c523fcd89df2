/** The audit log is in a state that no retry can heal. The message says what to do; nothing is served until then. */
export class AuditFault extends Error {
  override readonly name = 'AuditFault'
}

/** The system's code of a failed call, such as `ENOSPC`; else the error's name. */
export const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return 'unknown'
  if ('code' in error && typeof error.code === 'string') return error.code
  return 'name' in error && typeof error.name === 'string' ? error.name : 'unknown'
}

/** For `cause`, which takes errors only. */
export const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(codeOf(error), { cause: error })
