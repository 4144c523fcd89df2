import { found, type DataFinding } from './finding.ts'
import type { Row } from './rows.ts'

const MIN_ROWS = 30
/** Modified z-score (Iglewicz, Hoaglin 1993); they propose 3.5, twice that keeps long tails quiet. */
const FAR = 7
/** Times the usual size. One such vector moves the mean so far that all distances from it look the same, its own too. */
const GIANT = 1000
const STEPS = 50
const MAX_SAMPLES = 10_000

/**
 * Vectors that stand apart. Spectral signatures (Tran, Li, Madry 2018): within a label, poisoned samples lie far out on the first
 * principal direction. Equal vectors of different texts are collisions, as they are made to hijack retrieval.
 */
export const vectors = (rows: readonly Row[]): readonly DataFinding[] => {
  const having = rows.filter(({ embedding }) => embedding !== undefined)
  const groups = Map.groupBy(having, ({ label }) => label)
  return [...collisions(having), ...[...groups.values()].flatMap(outliers)]
}

const outliers = (rows: readonly Row[]): readonly DataFinding[] => {
  if (rows.length < MIN_ROWS) return []
  const sizes = rows.map(({ embedding = [] }) => sizeOf(embedding))
  const usual = median(sizes.filter((size) => size > 0)) || 1
  const isGiant = (at: number): boolean => (sizes[at] ?? 0) > GIANT * usual
  const others = rows.flatMap((row, at) => (isGiant(at) ? [] : [{ at, embedding: row.embedding ?? [] }]))
  const points = centred(
    others.map(({ embedding }) => embedding),
    usual,
  )
  const lengths = points.map((point) => Math.sqrt(dot(point, point)))
  const direction = directionOf(points)
  const projected = beyond(points.map((point) => Math.abs(dot(point, direction))))
  const rowsAt = (places: readonly number[]): readonly Row[] => {
    const at = new Set(places.map((place) => others[place]?.at))
    return rows.filter((_, place) => at.has(place))
  }
  const far = new Set(rowsAt([...projected, ...beyond(lengths)]))
  const own = rows[0]?.label === '' ? '' : ' of their label'
  return [
    told(
      rows.filter((row, at) => isGiant(at) || far.has(row)),
      `of ${rows.length} vectors lie far from the others${own}`,
    ),
    told(
      rowsAt(beyond(lengths.map((length) => -length))),
      `of ${rows.length} vectors lie in the middle of the others${own}, where hardly any text lies and which is near to every question`,
    ),
  ].flat()
}

const told = (apart: readonly Row[], what: string): readonly DataFinding[] =>
  apart.length === 0 ? [] : [found('vector-outlier', apart, `${apart.length} ${what}`)]

/** The largest number, without its sign: unlike the length it is never infinite. */
const sizeOf = (point: ArrayLike<number>): number => {
  let most = 0
  for (let i = 0; i < point.length; i++) most = Math.max(most, Math.abs(point[i] ?? 0))
  return most
}

const collisions = (rows: readonly Row[]): readonly DataFinding[] =>
  [
    ...Map.groupBy(rows, ({ embedding = [] }) =>
      Array.from(embedding, (each) => each.toPrecision(6)).join(' '),
    ).values(),
  ].flatMap((same) => {
    const texts = new Set(same.map(({ text }) => text))
    return texts.size > 1
      ? [found('vector-collision', same, `${texts.size} different texts have the same vector`)]
      : []
  })

/** In units of `usual`, so that squares of very large and very small numbers keep their place in a double. */
const centred = (points: readonly ArrayLike<number>[], usual: number): readonly Float64Array[] => {
  const scaled = points.map((point) => Float64Array.from(point, (each) => each / usual))
  const mean = new Float64Array(scaled[0]?.length ?? 0)
  for (const point of scaled)
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] ?? 0) + (point[i] ?? 0) / points.length
  for (const point of scaled)
    for (let i = 0; i < mean.length; i++) point[i] = (point[i] ?? 0) - (mean[i] ?? 0)
  return scaled
}

/** The first principal direction of a sample, by power iteration. */
const directionOf = (points: readonly Float64Array[]): Float64Array => {
  const step = Math.ceil(points.length / MAX_SAMPLES)
  const some = points.filter((_, at) => at % step === 0)
  let direction = Float64Array.from(points[0] ?? [], (_, i) => 1 + (i % 7) / 7)
  for (let at = 0; at < STEPS; at++) {
    const next = new Float64Array(direction.length)
    for (const point of some) {
      const share = dot(point, direction)
      for (let i = 0; i < next.length; i++) next[i] = (next[i] ?? 0) + share * (point[i] ?? 0)
    }
    const length = Math.sqrt(dot(next, next))
    if (length === 0) break
    direction = next.map((each) => each / length)
  }
  return direction
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** Places of values far above the median. */
export const beyond = (values: readonly number[]): readonly number[] => {
  const middle = median(values)
  const spread = median(values.map((each) => Math.abs(each - middle)))
  return values.flatMap((each, at) => (spread > 0 && (0.6745 * (each - middle)) / spread > FAR ? [at] : []))
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
}
