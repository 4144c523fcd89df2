export interface PageHinkleyOptions {
  /** Values before the first detection. */
  readonly minValues: number
  /** Changes of the mean up to this much are allowed, in units of the values. */
  readonly delta: number
  /** Detection threshold, in units of the values. */
  readonly threshold: number
  /** Forgetting factor of the sums, 0 to 1. */
  readonly alpha: number
}

export interface PageHinkley {
  /** Takes the next value; tells of a change of the mean at it. After one it starts afresh. */
  next(value: number): 'up' | 'down' | undefined
}

/**
 * Change detection in the mean of a sequence (E. S. Page, Continuous inspection schemes, 1954; D. V. Hinkley, 1971), both ways,
 * with a fading factor, as in river's `drift.PageHinkley`. O(1) in time and memory.
 */
export const pageHinkley = ({ minValues, delta, threshold, alpha }: PageHinkleyOptions): PageHinkley => {
  let count = 0
  let mean = 0
  let rise = 0
  let fall = 0
  let lowest = Infinity
  let highest = -1
  const reset = (): void => {
    count = mean = rise = fall = 0
    lowest = Infinity
    highest = -1
  }
  return {
    next: (value) => {
      if (!Number.isFinite(value)) return undefined
      count += 1
      mean += (value - mean) / count
      const deviation = value - mean
      rise = alpha * rise + deviation - delta
      fall = alpha * fall + deviation + delta
      lowest = Math.min(lowest, rise)
      highest = Math.max(highest, fall)
      if (count < minValues) return undefined
      const up = rise - lowest > threshold
      if (!up && highest - fall <= threshold) return undefined
      reset()
      return up ? 'up' : 'down'
    },
  }
}
