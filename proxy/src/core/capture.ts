import type { AuditText } from './audit.ts'

/** A text of an exchange, to be kept encrypted. */
export interface CapturedText {
  readonly direction: AuditText['direction']
  readonly path: string
  /** Of the value, hex: as the record has it. */
  readonly sha256: string
  readonly value: string
}

/** Keeps texts of exchanges for an auditor, and for nobody else: the guard cannot read them back. */
export interface Capture {
  /** Is the content of this tenant kept? */
  wants(tenant: string | undefined): boolean
  /**
   * Resolves when durable, with the SHA-256 of the line that holds each text; undefined for one that could not be kept although
   * that is no failure here. Throws Refusal `guard_unavailable` when it is.
   */
  keep(
    exchange: { readonly id: string; readonly tenant: string },
    texts: readonly CapturedText[],
  ): Promise<readonly (string | undefined)[]>
  /** Undefined when it works, or need not; else why not. */
  unready(): string | undefined
  close(): Promise<void>
}
