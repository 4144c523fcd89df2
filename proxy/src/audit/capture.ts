import { hash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CompactEncrypt } from 'jose'
import type { Capture, CapturedText } from '../core/capture.ts'
import { Refusal } from '../core/refusal.ts'
import { auditorPublicKey, type AuditorKey } from './capture-key.ts'
import { captureStore, type CaptureStoreOptions } from './capture-store.ts'
import { asError } from './fault.ts'
import type { AuditParts } from './file.ts'

export interface CaptureOptions extends CaptureStoreOptions {
  /** SPKI, PEM: X25519, P-256, P-384 or P-521. The private key stays with the auditor. */
  readonly publicKey: string
  /** Tenants whose content is kept; no other's is. */
  readonly tenants: readonly string[]
  /** `refuse`: what cannot be kept is not served. `skip`: it is served, counted and logged, and its record has no `capture`. */
  readonly onFailure: 'refuse' | 'skip'
}

/** What stands in the clear in a line of the capture file; the rest only the auditor's key opens. */
interface CaptureLine {
  readonly v: 1
  readonly id: string
  readonly tenant: string
  /** RFC 3339, UTC, milliseconds. */
  readonly written: string
  /** JWE, compact: ECDH-ES+A256KW, A256GCM. Inside: id, tenant, direction, path, sha256, text. */
  readonly jwe: string
}

/**
 * The texts of the named tenants, one line each, encrypted to an auditor. Throws AuditFault, which says what to do, when the key is not one;
 * a file that cannot be written is a failure of the exchanges that need it, as `onFailure` says.
 */
export const captureFile = async (options: CaptureOptions, parts: AuditParts): Promise<Capture> => {
  const auditor = auditorPublicKey(options.publicKey)
  const now = parts.now ?? Date.now
  await mkdir(dirname(options.path), { recursive: true, mode: 0o700 }).catch(() => undefined)
  const store = captureStore(options, { log: parts.log, now })
  const tenants = new Set(options.tenants)
  let failure: string | undefined
  const failed = (cause: unknown): readonly undefined[] => {
    parts.meter.add('postern_capture_failures_total', 1)
    if (failure === undefined) parts.log.error('capture_failed', { cause: asError(cause) })
    failure = 'captured content cannot be written'
    if (options.onFailure === 'refuse')
      throw new Refusal('guard_unavailable', { cause, details: ['capture'] })
    return []
  }
  return {
    wants: (tenant) => tenant !== undefined && tenants.has(tenant),
    keep: async (exchange, texts) => {
      try {
        const written = new Date(now()).toISOString()
        const lines = await Promise.all(
          texts.map(async (text) => {
            const jwe = await encrypted(auditor, exchange, text)
            return JSON.stringify({ v: 1, ...exchange, written, jwe } satisfies CaptureLine)
          }),
        )
        if (lines.length > 0) await store.add(`${lines.join('\n')}\n`)
        if (failure !== undefined) parts.log.info('capture_works_again')
        failure = undefined
        return lines.map((line) => hash('sha256', line))
      } catch (cause) {
        return failed(cause)
      }
    },
    unready: () => (options.onFailure === 'refuse' ? failure : undefined),
    close: () => store.close(),
  }
}

const encrypted = (
  { key, id: kid }: AuditorKey,
  exchange: object,
  { direction, path, sha256, value }: CapturedText,
): Promise<string> =>
  new CompactEncrypt(Buffer.from(JSON.stringify({ ...exchange, direction, path, sha256, text: value })))
    .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid })
    .encrypt(key)
