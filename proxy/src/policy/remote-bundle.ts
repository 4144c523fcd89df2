import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { noLog, type Log } from '../core/log.ts'
import { noMeter, type Meter } from '../core/metrics.ts'
import { rounds } from '../core/rounds.ts'
import { dropBundle, keepBundle, keptBundle } from './bundle-disk.ts'
import { askForBundle, type BundleAnswer, type BundleServer } from './bundle-server.ts'
import { bundleKeys, verifyBundle } from './bundle-signature.ts'
import { readTarGz } from '../core/tar.ts'
import { wasmPolicy } from './wasm.ts'

export interface RemoteBundleOptions extends BundleServer {
  /** Where the last good bundle lies, for this start and the next; give the same path to `wasmPolicy`. Its folder is made. */
  readonly file: string
  /** PEM of the public keys that bundles must be signed with. Read at each bundle. Unsigned ones are taken only when absent. */
  readonly publicKeyFile?: string
  /** The claim `scope` that signatures must have; none when absent. */
  readonly scope?: string
  /** Seconds that the server is asked to wait for a newer bundle; 30 when absent, 0 only polls. */
  readonly waitS?: number
  /** Milliseconds between two polls of a server that does not wait: at random between these; 10 s and 30 s when absent. */
  readonly minDelayMs?: number
  readonly maxDelayMs?: number
  /** Milliseconds to wait after a failure; 1 s, doubling up to 60 s, when absent. */
  readonly retryMinMs?: number
  readonly retryMaxMs?: number
  /** For one answer, beyond `waitS`; 15 s when absent. */
  readonly timeoutMs?: number
  /** Of the packed bundle; 16 MiB when absent. Unpacked it may have 64 MiB. */
  readonly maxBytes?: number
  /** Told after each bundle that was put at `file`, and after the one that was there at the start. Must not throw. */
  readonly onBundle?: () => void
  readonly meter: Meter
  readonly log: Log
}

export interface RemoteBundle {
  /** Resolves when a verified bundle lies at `file`; at once when one was kept there. Rejects only when closed before. */
  ready(): Promise<void>
  /** Throws Error unless the archive is signed by one of the keys of today: for whoever loads it from `file`. */
  verify(archive: Uint8Array): Promise<void>
  /** Undefined when there is a bundle, else why not, for `/readyz`. */
  unready(): string | undefined
  close(): Promise<void>
}

/** Between two requests to a server that waits, lest one that only says so be asked without end. */
const MIN_ROUND_MS = 1_000

/** Clocks of two signers may differ by this much. */
const REPLAY_LEEWAY_S = 300

const MAX_BYTES = 16 * 1024 * 1024

/**
 * Follows an OPA bundle URL. A bundle gets to `file` only after its signature was verified and the policy engine loaded it and
 * could answer with it; until then, and whatever the server answers, the last good one stays.
 * Resolves after a look at `file`, without waiting for the server: what lies there is verified as well, and removed when it does
 * not pass. A signature does not say which bundle is the newest, so a server could replay an older one. Where signatures have
 * `iat`, one that is more than five minutes older than the bundle in use is refused; OPA's own tools write none.
 * Throws Error for options that can never work.
 */
export const remoteBundle = async (options: RemoteBundleOptions): Promise<RemoteBundle> => {
  if (!URL.canParse(options.url) || new URL(options.url).protocol !== 'https:')
    throw new Error('policy bundle: the URL must begin with https://')
  const { log, meter, retryMinMs = 1_000, retryMaxMs = 60_000, onBundle = () => undefined } = options
  const first = Promise.withResolvers<undefined>()
  first.promise.catch(() => undefined)
  let held = await readKept(options)
  let why = 'no answer yet'
  const have = (bundle: Held): void => {
    held = bundle
    first.resolve(undefined)
    onBundle()
  }
  if (held !== undefined) have(held)

  const following = rounds({
    retry: { minMs: retryMinMs, maxMs: retryMaxMs },
    round: async ({ signal }) => {
      const began = performance.now()
      const answer = await ask(options, held?.etag, signal)
      const elapsedMs = performance.now() - began
      const known = held
      const found = answer.kind === 'unchanged' ? known : await accept(answer, known, options)
      if (signal.aborted || found === undefined) return 0
      const fresh = found.digest !== known?.digest
      if (fresh) have(found)
      else held = found
      following.unref()
      confirmed(fresh ? 'new' : 'unchanged', found, options)
      return found.waits ? MIN_ROUND_MS - elapsedMs : between(options)
    },
    failed: (cause, failure) => {
      why = cause.message
      const rejected = cause instanceof RejectedError
      meter.add('postern_policy_bundle_fetches_total', 1, rejected ? 'rejected' : 'failed')
      const fields = { ...failure, kept: held !== undefined, cause }
      if (rejected) log.error('policy_bundle_rejected', fields)
      else log.warn('policy_bundle_fetch_failed', fields)
    },
  })
  return {
    ready: () => first.promise,
    verify: async (archive) => {
      await verify(archive, options)
    },
    unready: () => (held === undefined ? `policy bundle: none yet: ${why}` : undefined),
    close: async () => {
      first.reject(new Error('closed before there was a policy bundle'))
      await following.close()
    },
  }
}

interface Held {
  /** SHA-256 of the archive. */
  readonly digest: string
  readonly issuedAt: number | undefined
  readonly etag: string | undefined
  readonly waits: boolean
}

/** The server answered, but what it answered must not be used. */
class RejectedError extends Error {}

const ask = (
  options: RemoteBundleOptions,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<BundleAnswer> => {
  const { waitS = 30, timeoutMs = 15_000, maxBytes = MAX_BYTES } = options
  return askForBundle(options, { etag, waitS, timeoutMs, maxBytes, signal })
}

const confirmed = (result: 'new' | 'unchanged', bundle: Held, { meter, log }: RemoteBundleOptions): void => {
  meter.add('postern_policy_bundle_fetches_total', 1, result)
  meter.set('postern_policy_bundle_confirmed_timestamp_seconds', Date.now() / 1000)
  if (result === 'new') log.info('policy_bundle_accepted', { sha256: bundle.digest })
}

const between = ({ minDelayMs = 10_000, maxDelayMs = 30_000 }: RemoteBundleOptions): number =>
  minDelayMs + Math.random() * Math.max(maxDelayMs - minDelayMs, 0)

type Delivered = Extract<BundleAnswer, { kind: 'bundle' }>

const accept = async (
  { bytes, etag, waits }: Delivered,
  known: Held | undefined,
  options: RemoteBundleOptions,
): Promise<Held> => {
  const digest = sha256(bytes)
  // Without ETags, a server sends what is here already.
  if (digest === known?.digest) return { ...known, etag, waits }
  const issuedAt = await verify(bytes, options)
  if (known?.issuedAt !== undefined) {
    const oldest = known.issuedAt - REPLAY_LEEWAY_S
    if (issuedAt === undefined || issuedAt < oldest)
      throw new RejectedError('the bundle was signed before the one in use')
  }
  await keepBundle(options.file, bytes, usable)
  return { digest, issuedAt, etag, waits }
}

/** Gives the time of the signature. Throws RejectedError. */
const verify = async (
  bytes: Uint8Array,
  { publicKeyFile, scope }: RemoteBundleOptions,
): Promise<number | undefined> => {
  const keys = publicKeyFile === undefined ? undefined : await readKeys(publicKeyFile)
  try {
    const files = readTarGz(bytes)
    if (keys === undefined) return undefined
    return (await verifyBundle(files, { keys, ...(scope !== undefined && { scope }) })).issuedAt
  } catch (cause) {
    throw new RejectedError(`the bundle ${(cause as Error).message}`, { cause })
  }
}

const readKeys = async (path: string): Promise<ReturnType<typeof bundleKeys>> => {
  const pem = await readFile(path, 'utf8')
  try {
    return bundleKeys(pem)
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause })
  }
}

/** A bundle that the engine cannot load, or that cannot answer, would leave the next start without a policy. */
const usable = async (file: string): Promise<void> => {
  try {
    const policy = await wasmPolicy({ bundle: file, cacheEntries: 0, meter: noMeter, log: noLog })
    await policy.close()
  } catch (cause) {
    throw new RejectedError(`the bundle cannot be used: ${(cause as Error).message}`, { cause })
  }
}

const readKept = async (options: RemoteBundleOptions): Promise<Held | undefined> => {
  const { file, meter, log, maxBytes = MAX_BYTES } = options
  try {
    const kept = await keptBundle(file, maxBytes)
    if (kept === undefined) return undefined
    const issuedAt = await verify(kept.bytes, options)
    await usable(file)
    meter.set('postern_policy_bundle_confirmed_timestamp_seconds', kept.writtenAt / 1000)
    log.warn('policy_bundle_from_disk', { written: new Date(kept.writtenAt).toISOString() })
    return { digest: sha256(kept.bytes), issuedAt, etag: undefined, waits: false }
  } catch (cause) {
    // Whoever reads the same path must not find it either.
    await dropBundle(file)
    log.error('policy_bundle_on_disk_rejected', { cause: cause as Error })
    return undefined
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
