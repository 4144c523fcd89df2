/** The audit log is in a state that no retry can heal. The message says what to do; nothing is served until then. */
export class AuditFault extends Error {
  override readonly name = 'AuditFault'
}

/** The system's code of a failed call, such as `ENOSPC`; else the error's name. */
export const codeOf = (error: unknown): string =>
  error instanceof Error
    ? 'code' in error && typeof error.code === 'string'
      ? error.code
      : error.name
    : 'unknown'
