import type { Decision, Outcome } from './decision.ts'
import { latencyCell, LATENCY_CELLS, percentile } from './latency.ts'

/** One span of time in 60 steps, oldest first; the last step is still running. */
export interface Series {
  readonly stepSeconds: number
  /** When each step began, Unix milliseconds. */
  readonly times: readonly number[]
  readonly outcomes: Readonly<Record<Outcome, readonly number[]>>
  /** Most frequent first. */
  readonly reasons: readonly Named[]
  readonly rules: readonly Named[]
  /** Milliseconds; undefined where nothing was forwarded or refused. Within 10 %. */
  readonly latency: Readonly<Record<Percent, readonly (number | undefined)[]>>
  readonly overall: Readonly<Record<Percent, number | undefined>>
  readonly tokens: { readonly input: readonly number[]; readonly output: readonly number[] }
}

export interface Named {
  readonly name: string
  readonly total: number
  readonly values: readonly number[]
}

export type Percent = 'p50' | 'p95' | 'p99'

export interface HourCounters {
  seen(decision: Decision): void
  series(span: 'hour' | 'minutes'): Series
}

export interface HourOptions {
  /** Seconds on a clock that never jumps; for tests. */
  readonly elapsedS?: () => number
}

const SLOT_S = 10
const STEPS = 60
const SLOTS = 361
const OUTCOMES = ['allowed', 'redacted', 'cut', 'refused', 'failed', 'client_gone'] as const
const PERCENTS = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
const REASONS_AT = OUTCOMES.length
const MAX_REASONS = 48
const RULES_AT = REASONS_AT + MAX_REASONS
const MAX_RULES = 96
const LATENCY_AT = RULES_AT + MAX_RULES
const INPUT_AT = LATENCY_AT + LATENCY_CELLS
const OUTPUT_AT = INPUT_AT + 1
const WIDTH = OUTPUT_AT + 1

// So that steps begin at full minutes of the wall clock, yet time never goes back.
const sinceEpoch = (): number => (performance.timeOrigin + performance.now()) / 1000

/** Counts by ten seconds over one hour, in 340 KB whatever the traffic. */
export const hourCounters = ({ elapsedS = sinceEpoch }: HourOptions = {}): HourCounters => {
  const cells = new Uint32Array(SLOTS * WIDTH)
  const epochs = new Float64Array(SLOTS).fill(-1)
  const table = { cells, epochs }
  const reasons = columns(table, { at: REASONS_AT, max: MAX_REASONS })
  const rules = columns(table, { at: RULES_AT, max: MAX_RULES })
  const slotNow = (): number => {
    const epoch = Math.floor(elapsedS() / SLOT_S)
    const slot = epoch % SLOTS
    if (epochs[slot] !== epoch) {
      cells.fill(0, slot * WIDTH, (slot + 1) * WIDTH)
      epochs[slot] = epoch
    }
    return slot * WIDTH
  }
  const add = (cell: number, amount: number): void => {
    cells[cell] = (cells[cell] ?? 0) + amount
  }
  return {
    seen: (decision) => {
      const row = slotNow()
      add(row + OUTCOMES.indexOf(decision.outcome), 1)
      if (isRefusal(decision.outcome)) for (const code of whys(decision)) add(row + reasons.of(code), 1)
      for (const { rule } of decision.findings) add(row + rules.of(rule), 1)
      const added = addedMs(decision)
      if (added !== undefined) add(row + LATENCY_AT + latencyCell(added), 1)
      if (decision.tokens) {
        add(row + INPUT_AT, decision.tokens.input)
        add(row + OUTPUT_AT, decision.tokens.output)
      }
    },
    series: (span) => {
      const slotsAStep = span === 'hour' ? 6 : 1
      const now = elapsedS()
      const lastStep = Math.floor(now / (SLOT_S * slotsAStep))
      const steps = summed(table, { lastStep, slotsAStep })
      return { ...seriesOf(steps, { reasons, rules }), ...clock({ now, lastStep, slotsAStep }) }
    },
  }
}

const isRefusal = (outcome: Outcome): boolean => outcome !== 'allowed' && outcome !== 'redacted'

/** The policy's own reasons where it gave any: that a policy denied says nothing. */
const whys = ({ reasons }: Decision): readonly string[] =>
  reasons[0] === 'policy_denied' && reasons.length > 1 ? reasons.slice(1, 5) : reasons.slice(0, 1)

/** Until the model was called, or until the refusal; and the inspection of the answer. */
export const addedMs = ({ timings, route }: Decision): number | undefined => {
  const before = timings['guard'] ?? timings['total']
  return before === undefined || route === '' ? undefined : before + (timings['scan_response'] ?? 0)
}

interface Table {
  readonly cells: Uint32Array
  readonly epochs: Float64Array
}

interface Columns {
  of(name: string): number
  readonly names: ReadonlyMap<string, number>
}

const OTHER = 'other'

/** Columns by name. When all are taken, those that counted nothing for an hour are given away; until then the rest is `other`. */
const columns = ({ cells, epochs }: Table, { at, max }: { at: number; max: number }): Columns => {
  const names = new Map<string, number>([[OTHER, at]])
  const free = Array.from({ length: max - 1 }, (_, index) => at + max - 1 - index)
  let reclaimedAt = -1
  const isQuiet = (column: number): boolean => {
    for (let cell = column; cell < cells.length; cell += WIDTH) if (cells[cell] !== 0) return false
    return true
  }
  const reclaim = (): void => {
    const newest = epochs.reduce((a, b) => Math.max(a, b))
    if (newest === reclaimedAt) return
    reclaimedAt = newest
    for (const [slot, epoch] of epochs.entries())
      if (epoch <= newest - SLOTS) cells.fill(0, slot * WIDTH, (slot + 1) * WIDTH)
    for (const [name, column] of names) {
      if (name === OTHER || !isQuiet(column)) continue
      names.delete(name)
      free.push(column)
    }
  }
  return {
    names,
    of: (name) => {
      const known = names.get(name)
      if (known !== undefined) return known
      if (free.length === 0) reclaim()
      const column = free.pop()
      if (column === undefined) return at
      names.set(name, column)
      return column
    },
  }
}

interface Window {
  readonly lastStep: number
  readonly slotsAStep: number
}

/** One row of sums for each of the 60 steps. */
const summed = ({ cells, epochs }: Table, { lastStep, slotsAStep }: Window): readonly Float64Array[] =>
  Array.from({ length: STEPS }, (_, index) => {
    const sums = new Float64Array(WIDTH)
    const first = (lastStep - STEPS + 1 + index) * slotsAStep
    for (let epoch = Math.max(0, first); epoch < first + slotsAStep; epoch++) {
      const slot = epoch % SLOTS
      if (epochs[slot] !== epoch) continue
      for (let cell = 0; cell < WIDTH; cell++)
        sums[cell] = (sums[cell] ?? 0) + (cells[slot * WIDTH + cell] ?? 0)
    }
    return sums
  })

type Sums = Omit<Series, 'times' | 'stepSeconds'>

const seriesOf = (
  steps: readonly Float64Array[],
  { reasons, rules }: { readonly reasons: Columns; readonly rules: Columns },
): Sums => {
  const column = (at: number): readonly number[] => steps.map((sums) => sums[at] ?? 0)
  const named = (found: Columns): readonly Named[] =>
    [...found.names]
      .map(([name, at]) => ({ name, values: column(at), total: total(column(at)) }))
      .filter((one) => one.total > 0)
      .sort((a, b) => b.total - a.total)
  const histograms = steps.map((sums) => sums.subarray(LATENCY_AT, LATENCY_AT + LATENCY_CELLS))
  const all = Float64Array.from({ length: LATENCY_CELLS }, (_, cell) =>
    total(histograms.map((histogram) => histogram[cell] ?? 0)),
  )
  return {
    outcomes: mapped(OUTCOMES, (outcome) => column(OUTCOMES.indexOf(outcome))),
    reasons: named(reasons),
    rules: named(rules),
    latency: mapped(PERCENT_NAMES, (name) => histograms.map((one) => percentile(one, PERCENTS[name]))),
    overall: mapped(PERCENT_NAMES, (name) => percentile(all, PERCENTS[name])),
    tokens: { input: column(INPUT_AT), output: column(OUTPUT_AT) },
  }
}

const PERCENT_NAMES = ['p50', 'p95', 'p99'] as const

const mapped = <K extends string, V>(names: readonly K[], value: (name: K) => V): Record<K, V> =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, V>

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

const clock = ({ now, lastStep, slotsAStep }: Window & { readonly now: number }) => {
  const stepSeconds = SLOT_S * slotsAStep
  // Full seconds: the two clocks differ by parts of one, and by more where the wall clock was set.
  const apartS = Math.round(Date.now() / 1000 - now)
  const started = (lastStep * stepSeconds + apartS) * 1000
  return {
    stepSeconds,
    times: Array.from({ length: STEPS }, (_, index) => started - (STEPS - 1 - index) * stepSeconds * 1000),
  }
}
