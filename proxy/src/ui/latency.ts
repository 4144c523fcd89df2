/** Cells of a histogram in quarter octaves, from 1/16 ms to 65 s; the first and the last take what is beyond. */
export const LATENCY_CELLS = 80
const SMALLEST_MS = 0.0625
const CELLS_AN_OCTAVE = 4

export const latencyCell = (ms: number): number =>
  ms <= SMALLEST_MS
    ? 0
    : Math.min(LATENCY_CELLS - 1, Math.floor(Math.log2(ms / SMALLEST_MS) * CELLS_AN_OCTAVE))

/** Milliseconds, the geometric middle of the cell in which the share `p` is reached; undefined of nothing. */
export const percentile = (histogram: Float64Array, p: number): number | undefined => {
  const count = histogram.reduce((sum, cell) => sum + cell, 0)
  if (count === 0) return undefined
  let left = Math.ceil(count * p)
  for (const [cell, value] of histogram.entries()) {
    left -= value
    if (left <= 0) return SMALLEST_MS * 2 ** ((cell + 0.5) / CELLS_AN_OCTAVE)
  }
  return undefined
}
