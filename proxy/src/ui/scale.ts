/** `1.2k` and the like: three digits say enough. */
export const compact = (value: number): string => {
  if (value === 0) return '0'
  if (value >= 1e9) return `${digits(value / 1e9)}G`
  if (value >= 1e6) return `${digits(value / 1e6)}M`
  if (value >= 1e4) return `${digits(value / 1e3)}k`
  return digits(value)
}

const digits = (value: number): string =>
  value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : String(Number(value.toPrecision(2)))

/** A round number at or above the highest value, and where to draw lines. */
export const axis = (highest: number): { readonly max: number; readonly ticks: readonly number[] } => {
  if (highest <= 0) return { max: 1, ticks: [0, 1] }
  const power = 10 ** Math.floor(Math.log10(highest))
  const max = ([1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= highest) ?? 10) * power
  return { max, ticks: [0, max / 2, max] }
}

/** `12:05:30`, or `12:05` at a full minute; UTC. */
export const clockTime = (unixMs: number): string => {
  const text = new Date(unixMs).toISOString().slice(11, 19)
  return text.endsWith(':00') ? text.slice(0, 5) : text
}

/** A coordinate: a tenth of a unit is less than anyone sees. */
export const path2 = (value: number): string => String(Math.round(value * 10) / 10)
