import type { KeyObject } from 'node:crypto'
import type { JwsHeader } from './compact-jws.ts'
import type { Instruments } from './instruments.ts'
import type { KeySet } from './key-set.ts'
import { cannotCheck } from './refuse.ts'

/** Where the keys of one issuer come from. */
export interface KeySource {
  /**
   * Changes when a key goes away or is swapped: what was verified before must be verified again. Undefined while there are
   * no keys to trust.
   */
  epoch(): number | undefined
  /** The key for a token; undefined when the issuer has none. Throws Refusal `guard_unavailable` while there are no keys to trust. */
  find(header: JwsHeader): Promise<KeyObject | undefined>
  close(): Promise<void>
}

/** Good key sets of all issuers. Handed to the next configuration, so that a reload while an issuer is down loses no keys. */
export type KeptKeys = Map<string, { readonly keys: KeySet; readonly fetchedAt: number }>

/** How a remote key set is kept. Seconds. */
export interface KeySourceOptions {
  readonly name: string
  /** Between two fetches when all is well. */
  readonly refreshS: number
  /** After the last good fetch, how long its keys are trusted while fetches fail. */
  readonly maxStaleS: number
  /** After a good fetch, before an unknown key id may cause another. */
  readonly coolDownS: number
  /** Wait after the first failed fetch; doubles with each further one. */
  readonly retryMinS: number
  readonly retryMaxS: number
  /** Where good keys are kept beyond this source, and under which name. */
  readonly kept?: { readonly keys: KeptKeys; readonly as: string }
  /** Seconds on a clock that never jumps; for tests. */
  readonly elapsedS?: () => number
}

/**
 * A key set kept fresh in the background: one fetch at a time, back-off with jitter after a failure. A fetch that fails, or
 * answers no usable key, changes nothing: the old keys serve until `maxStaleS`. `load` is the fetch; it must be bounded in time.
 */
export const remoteKeys = (
  load: () => Promise<KeySet>,
  options: KeySourceOptions,
  { meter, log }: Instruments,
): KeySource => {
  const { name, elapsedS = () => performance.now() / 1000 } = options
  const held = heldKeys(options, elapsedS)
  let failures = 0
  let mayFetchAt = 0
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const succeeded = (keys: KeySet): void => {
    held.replace(keys)
    failures = 0
    mayFetchAt = elapsedS() + options.coolDownS
    meter.add('postern_key_set_fetches_total', 1, name, 'ok')
    schedule(options.refreshS)
  }
  const failed = (cause: unknown): void => {
    if (closed) return
    const waitS = retryWaitS(failures++, options)
    mayFetchAt = elapsedS() + waitS
    meter.add('postern_key_set_fetches_total', 1, name, 'failed')
    log.warn('key_set_fetch_failed', { issuer: name, failures, retryS: waitS, cause: cause as Error })
    schedule(waitS)
  }
  const schedule = (waitS: number): void => {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(() => void fetchOnce(), waitS * 1000).unref()
  }
  const fetchOnce = (): Promise<void> =>
    (running ??= load()
      .then(succeeded, failed)
      .finally(() => {
        running = undefined
        meter.set('postern_key_set_age_seconds', held.ageS(), name)
      }))
  const fetchIfAllowed = async (): Promise<void> => {
    if (running !== undefined || (!closed && elapsedS() >= mayFetchAt)) await fetchOnce()
  }

  void fetchOnce()
  return {
    epoch: () => held.epoch(),
    find: async (header) => {
      if (held.trusted() === undefined) await fetchIfAllowed()
      const keys = held.trusted()
      if (keys === undefined) throw cannotCheck(`no keys of issuer ${name}`)
      if (header.kid === undefined || keys.knows(header.kid)) return keys.select(header)
      await fetchIfAllowed()
      return held.trusted()?.select(header)
    },
    close: async () => {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}

interface HeldKeys {
  replace(keys: KeySet): void
  trusted(): KeySet | undefined
  epoch(): number | undefined
  /** Since the last good fetch, or since the process began. */
  ageS(): number
}

const heldKeys = ({ maxStaleS, kept }: KeySourceOptions, elapsedS: () => number): HeldKeys => {
  const before = kept?.keys.get(kept.as)
  let held = before?.keys
  let fetchedAt = before?.fetchedAt ?? 0
  let epoch = 0
  const trusted = () => (elapsedS() - fetchedAt <= maxStaleS ? held : undefined)
  return {
    replace: (keys) => {
      if (held !== undefined && drops(held, keys)) epoch += 1
      held = keys
      fetchedAt = elapsedS()
      kept?.keys.set(kept.as, { keys, fetchedAt })
    },
    trusted,
    epoch: () => (trusted() === undefined ? undefined : epoch),
    ageS: () => elapsedS() - fetchedAt,
  }
}

// The jitter of a quarter keeps a fleet from asking at the same moment.
const retryWaitS = (failures: number, { retryMinS, retryMaxS }: KeySourceOptions): number =>
  Math.min(retryMinS * 2 ** Math.min(failures, 30), retryMaxS) * (0.75 + Math.random() / 2)

const drops = (old: KeySet, fresh: KeySet): boolean =>
  [...old.fingerprints].some((fingerprint) => !fresh.fingerprints.has(fingerprint))
