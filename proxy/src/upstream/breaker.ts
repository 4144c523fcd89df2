export interface BreakerOptions {
  /** Failures in a row that open the circuit. */
  readonly failures: number
  /** Or this share of failures, 0 to 1, of at least `minimumCalls` within `windowMs`. */
  readonly failureRate: number
  readonly minimumCalls: number
  readonly windowMs: number
  /** How long the circuit stays open at first; doubles with each failed probe up to `maxOpenMs`. */
  readonly openMs: number
  readonly maxOpenMs: number
}

/** One call's leave to try the upstream. Exactly one of the three is told; later ones do not count. */
export interface Permit {
  ok(): void
  failed(): void
  /** The call ended for a reason that says nothing about the upstream. */
  unused(): void
}

/** Closed: calls pass. Open: none does. After the back-off a single probe passes and decides. */
export interface Breaker {
  enter(): Permit | undefined
  /** A failure of a call whose permit already said ok, such as a broken body. */
  fault(): void
  /** Milliseconds until a call may pass; 0 when one may now. */
  blockedMs(): number
}

export interface BreakerParts {
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly onChange: (healthy: boolean) => void
}

export const breaker = (options: BreakerOptions, parts: BreakerParts): Breaker => {
  const state: State = {
    ...parts,
    options,
    openUntil: 0,
    probing: false,
    trips: 0,
    inRow: 0,
    slots: Array.from({ length: SLOTS }, () => ({ number: -1, calls: 0, failures: 0 })),
  }
  return {
    enter: () => enter(state),
    fault: () => {
      if (state.trips === 0) count(state, true)
    },
    blockedMs: () => blockedMs(state),
  }
}

interface State extends BreakerParts {
  readonly options: BreakerOptions
  openUntil: number
  probing: boolean
  /** Times the circuit opened since it was last closed; 0 is closed. */
  trips: number
  inRow: number
  readonly slots: Slot[]
}

interface Slot {
  number: number
  calls: number
  failures: number
}

const SLOTS = 10
const PROBE_WAIT_MS = 1000 // what a client is told while a probe is under way

const blockedMs = (state: State): number => {
  if (state.trips === 0) return 0
  if (state.probing) return PROBE_WAIT_MS
  return Math.max(0, state.openUntil - state.now())
}

const enter = (state: State): Permit | undefined => {
  if (blockedMs(state) > 0) return undefined
  const probe = state.trips > 0
  if (probe) state.probing = true
  let told = false
  const tell = (result: 'ok' | 'failed' | 'unused'): void => {
    if (told) return
    told = true
    if (probe) probed(state, result)
    // A call that began before the circuit opened decides nothing about the probe.
    else if (state.trips === 0 && result !== 'unused') count(state, result === 'failed')
  }
  return { ok: () => tell('ok'), failed: () => tell('failed'), unused: () => tell('unused') }
}

const probed = (state: State, result: 'ok' | 'failed' | 'unused'): void => {
  state.probing = false
  if (result === 'failed') open(state)
  if (result === 'ok') {
    state.trips = 0
    state.inRow = 0
    for (const slot of state.slots) slot.number = -1
    state.onChange(true)
  }
}

const open = (state: State): void => {
  const { openMs, maxOpenMs } = state.options
  const backOff = Math.min(maxOpenMs, openMs * 2 ** Math.min(state.trips, 20))
  state.openUntil = state.now() + backOff * (0.8 + Math.random() * 0.2) // so that replicas do not probe in step
  state.trips += 1
  if (state.trips === 1) state.onChange(false)
}

const count = (state: State, failed: boolean): void => {
  const { failures, failureRate, minimumCalls, windowMs } = state.options
  const number = Math.floor((state.now() * SLOTS) / windowMs)
  const slot = state.slots[number % SLOTS]
  if (slot === undefined) return
  if (slot.number !== number) Object.assign(slot, { number, calls: 0, failures: 0 })
  slot.calls += 1
  state.inRow = failed ? state.inRow + 1 : 0
  if (!failed) return
  slot.failures += 1
  const recent = state.slots.filter((each) => each.number > number - SLOTS)
  const calls = recent.reduce((sum, each) => sum + each.calls, 0)
  const failing = recent.reduce((sum, each) => sum + each.failures, 0)
  if (state.inRow >= failures || (calls >= minimumCalls && failing / calls >= failureRate)) open(state)
}
