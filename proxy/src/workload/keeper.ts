import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Failure } from '../core/rounds.ts'
import { readIdentity, type Expected, type Identity, type Material } from './material.ts'
import { readVolume, writeVolume } from './volume.ts'

/** A certificate for this workload that is kept fresh in a folder: `tls.crt`, `tls.key`, `ca.crt`. */
export interface WorkloadIdentity {
  /** Resolves when a valid certificate lies in the folder; at once when an earlier run left one. Rejects only when closed before. */
  ready(): Promise<void>
  /** Undefined when there is a valid certificate, else why not, for `/readyz`. */
  unready(): string | undefined
  close(): Promise<void>
}

export interface KeeperOptions extends Expected {
  /** Where the files lie. Made when it is not there; its access is taken from everybody but the owner. */
  readonly directory: string
  readonly meter: Meter
  readonly log: Log
  /** Milliseconds since the epoch; `Date.now` when absent. Decides about validity only. */
  readonly now?: () => number
}

export interface Keeper {
  held(): Identity | undefined
  /** Takes over what an earlier run left, if it is still good. */
  restore(): Promise<void>
  /** Checks and writes; gives whether anything changed. Throws Error, and then the former set stays. */
  adopt(material: Material): Promise<boolean>
  failed(cause: Error, failure: Failure): void
  /** While given, the certificate is not to be used though it is valid. */
  withhold(why: string | undefined): void
  ready(): Promise<void>
  unready(): string | undefined
  close(): void
}

export const keeper = (source: 'controller' | 'spire', options: KeeperOptions): Keeper => {
  const { directory, meter, log, now = Date.now } = options
  const first = Promise.withResolvers<undefined>()
  first.promise.catch(() => undefined)
  let held: Identity | undefined
  let why = 'no answer yet'
  let withheld: string | undefined

  const have = (identity: Identity): void => {
    held = identity
    meter.set('postern_workload_certificate_expiry_timestamp_seconds', identity.notAfter / 1000)
    first.resolve(undefined)
  }
  return {
    held: () => held,
    restore: async () => {
      try {
        const material = await readVolume(directory)
        if (material === undefined) return
        have(readIdentity(material, options, now()))
        log.info('workload_certificate_restored', described(held))
      } catch (cause) {
        log.warn('workload_certificate_on_disk_refused', { cause: asError(cause) })
      }
    },
    adopt: async (material) => {
      const identity = readIdentity(material, options, now())
      const changed = !same(identity, held)
      if (changed) await writeVolume(directory, identity)
      have(identity)
      meter.add('postern_workload_certificate_renewals_total', 1, source, 'ok')
      if (changed) log.info('workload_certificate_renewed', { source, ...described(identity) })
      return changed
    },
    failed: (cause, failure) => {
      why = cause.message
      meter.add('postern_workload_certificate_renewals_total', 1, source, 'failed')
      const left = held === undefined ? 0 : Math.max(Math.round((held.notAfter - now()) / 1000), 0)
      log.warn('workload_certificate_renewal_failed', { source, ...failure, valid_s: left, cause })
    },
    withhold: (reason) => {
      withheld = reason
    },
    ready: () => first.promise,
    unready: () => {
      if (held === undefined) return `workload certificate: none yet: ${why}`
      if (held.notAfter <= now()) return `workload certificate: expired, and not renewed: ${why}`
      return withheld === undefined ? undefined : `workload certificate: ${withheld}`
    },
    close: () => first.reject(new Error('closed before there was a workload certificate')),
  }
}

/** Resolves with the identity's first certificate or after `ms`, whichever is first. */
export const firstOr = async (ready: Promise<void>, ms: number): Promise<void> => {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), ms)
  try {
    await Promise.race([ready, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

const described = (
  identity: Identity | undefined,
): { readonly spiffe_id?: string; readonly valid_to?: string } =>
  identity === undefined
    ? {}
    : { spiffe_id: identity.spiffeId, valid_to: new Date(identity.notAfter).toISOString() }

const same = (one: Material, other: Material | undefined): boolean =>
  other !== undefined && one.certificate === other.certificate && one.key === other.key && one.ca === other.ca

const asError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)))
