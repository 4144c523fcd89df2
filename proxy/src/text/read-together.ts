import { read, readLive } from './read.ts'
import type { Run } from './run.ts'

/**
 * Reads a text in two runs at once, from a place to its end. Each look-up waits for the one before it, so two chains of them
 * take hardly longer than one.
 */
export const readTogether = (one: Run, other: Run, from: number): void => {
  const { length } = one.text
  let at = from
  while (at < length) {
    if (one.count === 0 && other.count === 0) {
      const skimmed = skimBoth(one, other, at)
      one.steps += skimmed - at
      other.steps += skimmed - at
      at = skimmed
    }
    if (at === length) return
    const [ahead, behind] = one.count > 0 ? [one, other] : [other, one]
    const further = readLive(ahead, at, length)
    read(behind, at, further)
    at = further
  }
}

const skimBoth = (one: Run, other: Run, from: number): number => {
  const { next: nextOne, hot: hotOne } = one.program.triggers
  const { next: nextOther, hot: hotOther } = other.program.triggers
  const { classOf: classOfOne } = one.program.alphabet
  const { classOf: classOfOther } = other.program.alphabet
  const { text } = one
  const { length } = text
  let stateOne = one.trigger
  let stateOther = other.trigger
  let at = from
  for (; at < length; at++) {
    const unit = text.charCodeAt(at)
    const toOne = nextOne[stateOne + (classOfOne[unit] as number)] as number
    const toOther = nextOther[stateOther + (classOfOther[unit] as number)] as number
    if (toOne >= hotOne || toOther >= hotOther) break
    stateOne = toOne
    stateOther = toOther
  }
  one.trigger = stateOne
  other.trigger = stateOther
  return at
}
