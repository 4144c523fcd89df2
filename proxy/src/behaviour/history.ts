/**
 * How often something happens, interval by interval, against its own past: O(1) for each event, about 400 bytes.
 * An interval is out of the ordinary when its count is above `least`, above three times the exponentially weighted mean
 * (S. W. Roberts, Control chart tests based on geometric moving averages, 1959) and its modified z-score (B. Iglewicz, D. Hoaglin,
 * How to detect and handle outliers, 1993: 0.6745 (x - median) / MAD) is above 6.
 */
export interface History {
  /** Intervals since some start. */
  interval: number
  count: number
  refused: number
  /** Events in all. */
  total: number
  /** Kinds of flags raised in this interval: each at most once. */
  raised: number
  /** Counts of the last closed intervals, a ring; empty until one has closed, as most addresses come once. */
  past: Float32Array
  closed: number
  mean: number
  /** Weighted share of refusals in closed intervals. */
  refusedShare: number
  /** The count above which this interval is out of the ordinary; Infinity while too little is known. */
  limit: number
}

export interface HistoryOptions {
  readonly intervalMs: number
  /** Events in an interval that are never out of the ordinary. */
  readonly least: number
}

const PAST = 24
const LEAST_PAST = 8
const WEIGHT = 0.2
const HIGH_Z = 6
const HIGH_FACTOR = 3

const NO_PAST = new Float32Array(0)

export const newHistory = (): History => ({
  interval: -1,
  count: 0,
  refused: 0,
  total: 0,
  raised: 0,
  past: NO_PAST,
  closed: 0,
  mean: 0,
  refusedShare: 0,
  limit: Infinity,
})

/** Counts one event; intervals that passed without any count as 0. */
export const happened = (
  history: History,
  { at, refused }: { readonly at: number; readonly refused: boolean },
  { intervalMs, least }: HistoryOptions,
): void => {
  const interval = Math.floor(at / intervalMs)
  if (history.interval < 0) history.interval = interval
  if (interval > history.interval) roll(history, interval, least)
  history.count += 1
  history.total += 1
  if (refused) history.refused += 1
}

const roll = (history: History, interval: number, least: number): void => {
  if (history.past === NO_PAST) history.past = new Float32Array(PAST)
  const passed = Math.min(interval - history.interval, PAST + 1)
  for (let step = 0; step < passed; step++) close(history, step === 0)
  history.interval = interval
  history.count = history.refused = history.raised = 0
  history.limit = history.closed < LEAST_PAST ? Infinity : limitOf(history, least)
}

const close = (history: History, real: boolean): void => {
  const count = real ? history.count : 0
  history.past[history.closed % PAST] = count
  history.closed += 1
  // The first value starts the average, as in the handbook of NIST.
  history.mean = history.closed === 1 ? count : ewma(history.mean, count, WEIGHT)
  if (count > 0)
    history.refusedShare =
      history.closed === 1
        ? history.refused / count
        : ewma(history.refusedShare, history.refused / count, WEIGHT)
}

/** One step of an exponentially weighted moving average. */
export const ewma = (before: number, value: number, weight: number): number =>
  weight * value + (1 - weight) * before

const limitOf = (history: History, least: number): number => {
  const past = history.past.slice(0, Math.min(history.closed, PAST))
  const { median, deviation } = medians(past)
  // Counts scatter by the root of their mean even when nothing changes.
  const scale = Math.max(deviation / 0.6745, Math.sqrt(median), 1)
  return Math.max(least, median + HIGH_Z * scale, HIGH_FACTOR * history.mean)
}

/** Median, and median absolute deviation from it. Sorts and changes the values. */
export const medians = (values: Float32Array): { readonly median: number; readonly deviation: number } => {
  const middle = middleOf(values)
  for (let at = 0; at < values.length; at++) values[at] = Math.abs((values[at] ?? 0) - middle)
  return { median: middle, deviation: middleOf(values) }
}

const middleOf = (values: Float32Array): number => {
  values.sort()
  const half = values.length >> 1
  const upper = values[half] ?? 0
  return values.length % 2 === 1 ? upper : ((values[half - 1] ?? 0) + upper) / 2
}

const LEAST_REFUSED = 10

/** Are there more refusals in this interval than its past explains, by more than six standard deviations of a binomial? */
export const refusalBurst = ({ count, refused, refusedShare }: History): boolean => {
  if (refused < LEAST_REFUSED) return false
  const expected = count * refusedShare
  return refused - expected > HIGH_Z * Math.sqrt(expected * (1 - refusedShare) + 1)
}
