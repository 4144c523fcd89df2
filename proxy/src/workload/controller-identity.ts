import 'reflect-metadata'
import { KeyObject, webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { rounds } from '../core/rounds.ts'
import { watchFiles, type FileWatch } from '../core/watch-files.ts'
import { askController, type ControllerServer } from './controller-client.ts'
import { firstOr, keeper, type Keeper, type KeeperOptions, type WorkloadIdentity } from './keeper.ts'
import type { Identity } from './material.ts'

export interface ControllerIdentityOptions extends ControllerServer, KeeperOptions {
  /** For one call; 10 s when absent. */
  readonly timeoutMs?: number
  /** Milliseconds to wait after a failure; 1 s, doubling up to 30 s, when absent. */
  readonly retryMinMs?: number
  readonly retryMaxMs?: number
  /** How long `workloadIdentity` waits for the first certificate before it resolves without; 15 s when absent. */
  readonly firstWaitMs?: number
  /** After a change of `caFile` a new certificate is asked for within this time, at random; 30 s when absent. */
  readonly spreadMs?: number
}

/** The clock may jump while a timer runs, so the time is looked at this often. */
const LOOK_MS = 60_000

/**
 * Gets a certificate from Postern's controller for a key that never leaves this process and `directory`, and renews it, with a
 * new key, at about two thirds of its lifetime, or when the authorities in `caFile` change.
 *
 * While the controller is away the old certificate serves until its end. Without any, this resolves after `firstWaitMs` all the
 * same and goes on trying: a start that failed would be restarted by the kubelet with a back-off of up to five minutes, and since
 * a native sidecar holds back the containers after it, a short absence of the controller would become a long one of the model.
 * Until then `unready()` says why, so nothing is served. What an earlier run of this container left is used when it is valid.
 * Throws Error for options that can never work.
 */
export const workloadIdentity = async (options: ControllerIdentityOptions): Promise<WorkloadIdentity> => {
  if (!URL.canParse(options.url) || new URL(options.url).protocol !== 'https:')
    throw new Error('workload: the URL of the controller must begin with https://')
  const { retryMinMs = 1_000, retryMaxMs = 30_000, timeoutMs = 10_000, firstWaitMs = 15_000 } = options
  const { now = Date.now } = options
  const kept = keeper('controller', options)
  await kept.restore()
  let renewAt = renewal(kept.held())
  let wanted = false
  const renewing = rounds({
    retry: { minMs: retryMinMs, maxMs: retryMaxMs },
    round: async ({ signal }) => {
      if (wanted || now() >= renewAt) {
        await renew(kept, options, { timeoutMs, signal })
        wanted = false
        renewAt = renewal(kept.held())
        renewing.unref()
        return Math.max(Math.min(renewAt - now(), LOOK_MS), retryMinMs)
      }
      return Math.min(renewAt - now(), LOOK_MS)
    },
    failed: (cause, failure) => kept.failed(cause, failure),
  })
  const watch = onAuthorities(options, () => {
    wanted = true
    renewing.wake()
  })
  await firstOr(kept.ready(), firstWaitMs)
  return {
    ready: () => kept.ready(),
    unready: () => kept.unready(),
    close: async () => {
      watch.close()
      kept.close()
      await renewing.close()
    },
  }
}

interface Call {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const renew = async (kept: Keeper, options: ControllerIdentityOptions, call: Call): Promise<void> => {
  const { key, request } = await certificateRequest()
  const { certificate, ca, notAfter } = await askController(options, request, call)
  call.signal.throwIfAborted()
  await kept.adopt({ certificate, key, ca })
  if (Math.abs((kept.held()?.notAfter ?? 0) - notAfter) > 1_000)
    options.log.warn('workload_certificate_lifetime_differs', { said: new Date(notAfter).toISOString() })
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A new EC P-256 key and its PKCS #10. The names are the controller's to give. */
const certificateRequest = async (): Promise<{ readonly key: string; readonly request: string }> => {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: 'CN=postern', keys, signingAlgorithm: ALGORITHM },
    webcrypto,
  )
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })
  return { key: String(key), request: request.toString('pem') }
}

/** Between 60 and 70 % of the lifetime, at random, lest all guards of a rollout ask at once. Milliseconds since the epoch. */
const renewal = (held: Identity | undefined): number =>
  held === undefined ? 0 : held.notBefore + (held.notAfter - held.notBefore) * (0.6 + Math.random() * 0.1)

/** The authorities of this folder come with the certificate, so a new one among them means a new certificate. */
const onAuthorities = (
  { caFile, spreadMs = 30_000 }: ControllerIdentityOptions,
  act: () => void,
): Pick<FileWatch, 'close'> => {
  if (caFile === undefined) return { close: () => undefined }
  let timer: NodeJS.Timeout | undefined
  const watch = watchFiles({
    paths: [caFile],
    onChange: () => {
      clearTimeout(timer)
      timer = setTimeout(act, Math.random() * spreadMs)
      timer.unref()
    },
  })
  return {
    close: () => {
      clearTimeout(timer)
      watch.close()
    },
  }
}
