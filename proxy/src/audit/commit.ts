import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { Refusal } from '../core/refusal.ts'
import type { Entry, LineType } from './chain.ts'
import { asError, AuditFault, codeOf } from './fault.ts'

/** Where lines go. Called by one at a time. */
export interface Store {
  /** Makes the entries durable in this order, all or none. Rejects when it is not known that they are. */
  commit(entries: readonly Entry[]): Promise<void>
  /** After a rejection: brings the store back to its last known good end and writes how many records are missing. */
  repair(missing: number): Promise<void>
  /** Called about once a second, also when nothing is written. */
  tend(): Promise<void>
  /** `seal` is false when the last write did not succeed: then nothing more is written. */
  close(seal: boolean): Promise<void>
}

export interface CommitOptions {
  /** Entries that wait at most. Beyond it nothing begins; ends may wait for as many again. */
  readonly maxQueue: number
  /** A write that takes longer counts as failed, in milliseconds. */
  readonly stallMs: number
  readonly meter: Meter
  readonly log: Log
}

/** An entry that waits for its write. */
export interface Pending {
  readonly type: LineType
  readonly id: string | undefined
  /** About how long its line will be, in characters. */
  readonly size: number
  /**
   * Makes it when it is written: many lines made one after the other take a fraction of the time that each takes amid its exchange.
   * Throwing costs this entry only; what somebody waits for is therefore made before.
   */
  readonly entry: () => Entry
}

export interface GroupCommit {
  /** Resolves when durable. Throws Refusal `guard_unavailable`. An `exchange` or `response` that failed is kept, within bounds, and written later. */
  add(pending: Pending): Promise<void>
  unready(): string | undefined
  close(): Promise<void>
}

interface Batch {
  readonly pending: Pending[]
  bytes: number
  /** Somebody waits for it before the model is called. */
  urgent: boolean
  readonly done: PromiseWithResolvers<undefined>
}

interface State extends CommitOptions {
  readonly store: Store
  readonly waiting: Batch[]
  queued: number
  inFlight: Batch | undefined
  since: number
  pumping: boolean
  tendDue: boolean
  /** Runs while ends wait for company. */
  linger: NodeJS.Timeout | undefined
  /** Why nothing can be written; `stalled` heals by itself when the write returns. */
  fault: { readonly reason: string; readonly stalled: boolean } | undefined
  /** Ends that could not be written yet, and how many more there were. */
  owed: Pending[]
  missing: number
  backOffMs: number
  retry: NodeJS.Timeout | undefined
  closed: boolean
}

const MAX_BATCH = 256
const MAX_BATCH_BYTES = 1 << 20 // characters
const TEND_MS = 1000
/** Longest an end waits for the write of another entry. */
const LINGER_MS = 5
const FIRST_RETRY_MS = 50
const MAX_RETRY_MS = 1000

/** Entries that arrive while a write is under way share the next one. `failed` is why the store could not even be opened. */
export const groupCommit = (store: Store, options: CommitOptions, failed?: unknown): GroupCommit => {
  const state: State = {
    ...options,
    store,
    waiting: [],
    queued: 0,
    inFlight: undefined,
    since: 0,
    pumping: false,
    tendDue: false,
    linger: undefined,
    fault: undefined,
    owed: [],
    missing: 0,
    backOffMs: FIRST_RETRY_MS,
    retry: undefined,
    closed: false,
  }
  if (failed === undefined) options.meter.set('postern_audit_writable', 1)
  else fail(state, failed)
  const timer = setInterval(() => tick(state), TEND_MS)
  timer.unref()
  return {
    add: (pending) => add(state, pending),
    unready: () => state.fault?.reason,
    close: () => {
      clearInterval(timer)
      return close(state)
    },
  }
}

const add = (state: State, entry: Pending): Promise<void> => {
  const isEnd = isKept(entry)
  if (state.closed || state.fault !== undefined || state.queued >= state.maxQueue * (isEnd ? 2 : 1)) {
    if (isEnd) owe(state, entry)
    return Promise.reject(unavailable(state.fault?.reason ?? (state.closed ? 'closed' : 'queue full')))
  }
  let batch = state.waiting.at(-1)
  if (batch === undefined || batch.pending.length >= MAX_BATCH || batch.bytes >= MAX_BATCH_BYTES) {
    batch = newBatch()
    state.waiting.push(batch)
  }
  batch.pending.push(entry)
  batch.bytes += entry.size
  batch.urgent ||= !isEnd || batch.pending.length === MAX_BATCH
  state.queued += 1
  if (batch.urgent) wake(state)
  else linger(state)
  return batch.done.promise
}

const newBatch = (): Batch => {
  const done = Promise.withResolvers<undefined>()
  done.promise.catch(() => undefined) // who added an entry sees the failure; a batch of owed entries has nobody to see it
  return { pending: [], bytes: 0, urgent: false, done }
}

const unavailable = (reason: string, cause?: unknown) =>
  new Refusal('guard_unavailable', { cause: cause ?? new Error(`audit: ${reason}`), details: ['audit'] })

/** What has happened already is written later when it cannot be now. */
const isKept = ({ type }: Pending): boolean => type === 'exchange' || type === 'response'

const owe = (state: State, entry: Pending): void => {
  if (state.owed.length < state.maxQueue) state.owed.push(entry)
  else state.missing += 1
}

/** The answer has left already when its end is written: that can share the write of the next request that begins. */
const linger = (state: State): void => {
  if (state.pumping || state.linger !== undefined) return
  state.linger = setTimeout(() => {
    for (const batch of state.waiting) batch.urgent = true
    state.linger = undefined
    wake(state)
  }, LINGER_MS)
}

/** Waits for the rest of this turn of the event loop, so that requests that arrived together share a write. */
const wake = (state: State): void => {
  if (state.pumping) return
  state.pumping = true
  setImmediate(() => void pump(state))
}

const pump = async (state: State): Promise<void> => {
  while (state.fault === undefined) {
    if (state.tendDue) {
      state.tendDue = false
      await state.store.tend().catch((error: unknown) => fail(state, error))
      continue
    }
    const [batch] = state.waiting
    if (batch?.urgent !== true) break
    state.waiting.shift()
    await commit(state, batch)
  }
  state.pumping = false
  if (state.waiting.length > 0 && state.fault === undefined) linger(state)
}

const commit = async (state: State, batch: Batch): Promise<void> => {
  state.inFlight = batch
  state.queued -= batch.pending.length
  state.since = performance.now()
  const entries = made(state, batch)
  try {
    await state.store.commit(entries)
  } catch (error) {
    state.inFlight = undefined
    fail(state, error, batch)
    return
  }
  state.inFlight = undefined
  state.backOffMs = FIRST_RETRY_MS
  state.meter.observe('postern_audit_commit_seconds', (performance.now() - state.since) / 1000)
  state.meter.add('postern_audit_records_total', entries.filter(({ type }) => type === 'exchange').length)
  batch.done.resolve(undefined)
  if (state.fault?.stalled === true) healed(state)
}

const made = ({ log }: State, { pending }: Batch): readonly Entry[] => {
  const entries: Entry[] = []
  for (const { id, entry } of pending) {
    try {
      entries.push(entry())
    } catch (cause) {
      log.error('exchange_not_recorded', { id, cause: asError(cause) })
    }
  }
  return entries
}

/** Rejects all that waits, keeps the ends among it, and tries again soon unless no retry can help. */
const fail = (state: State, cause: unknown, batch?: Batch): void => {
  const reason = cause instanceof AuditFault ? cause.message : `audit log cannot be written: ${codeOf(cause)}`
  if (state.fault === undefined) state.meter.set('postern_audit_writable', 0)
  if (state.fault?.reason !== reason) state.log.error('audit_unwritable', { cause: asError(cause) })
  state.fault = { reason, stalled: false }
  rejectWaiting(state, cause, batch)
  if (!(cause instanceof AuditFault) && !state.closed) retryLater(state)
}

const rejectWaiting = (state: State, cause: unknown, batch?: Batch): void => {
  const batches = [...(batch === undefined ? [] : [batch]), ...state.waiting.splice(0)]
  state.queued = 0
  const refusal = unavailable('cannot be written', cause)
  for (const { pending, done } of batches) {
    for (const entry of pending) if (isKept(entry)) owe(state, entry)
    done.reject(refusal)
  }
}

const retryLater = (state: State): void => {
  state.retry = setTimeout(() => void repair(state), state.backOffMs)
  state.retry.unref()
  state.backOffMs = Math.min(state.backOffMs * 2, MAX_RETRY_MS)
}

const repair = async (state: State): Promise<void> => {
  const missing = state.missing
  try {
    await state.store.repair(missing)
  } catch (error) {
    fail(state, error)
    return
  }
  state.missing -= missing
  healed(state)
}

const healed = (state: State): void => {
  state.fault = undefined
  state.meter.set('postern_audit_writable', 1)
  state.log.info('audit_writable', { owed: state.owed.length })
  const owed = state.owed.splice(0)
  for (let i = 0; i < owed.length; i += MAX_BATCH) {
    const batch = newBatch()
    batch.pending.push(...owed.slice(i, i + MAX_BATCH))
    batch.urgent = true
    state.queued += batch.pending.length
    state.waiting.push(batch)
  }
  wake(state)
}

const tick = (state: State): void => {
  state.tendDue = true
  const { inFlight } = state
  if (
    inFlight !== undefined &&
    performance.now() - state.since > state.stallMs &&
    state.fault === undefined
  ) {
    state.fault = { reason: 'audit log cannot be written: the disk does not answer', stalled: true }
    state.meter.set('postern_audit_writable', 0)
    state.log.error('audit_stalled')
    inFlight.done.reject(unavailable('stalled'))
    rejectWaiting(state, new Error('audit write stalled'))
  }
  if (state.fault === undefined) wake(state)
}

const close = async (state: State): Promise<void> => {
  const until = performance.now() + state.stallMs
  while ((state.pumping || state.waiting.length > 0) && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 2))
  state.closed = true
  clearTimeout(state.retry)
  rejectWaiting(state, new Error('audit log is closed'))
  await state.store.close(state.fault === undefined && state.inFlight === undefined)
}
