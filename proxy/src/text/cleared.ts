import { SKIP } from './alphabet.ts'
import { FIELD } from './candidates.ts'
import { classAt, previous } from './characters.ts'
import { beginning, earliestHead, walkBack } from './lookback.ts'
import type { Machine } from './program.ts'
import type { Run } from './run.ts'

/** The earliest offset where a finding of a held rule may still begin: all before it is cleared. */
export const clearedBy = (run: Run, held: Uint8Array): number => {
  const end = run.base + run.text.length
  let first = end
  for (let from = 0; from < run.count * FIELD.size; from += FIELD.size)
    if (held[run.cells[from + FIELD.machine] as number] === 1)
      first = Math.min(first, run.cells[from + FIELD.start] as number)
  first = Math.min(first, earliestPartial(run, held))
  const last = lastClass(run)
  if (last === SKIP) return first
  for (const machine of run.program.leading[last] as readonly number[]) {
    if (held[machine] === 0) continue
    const begin = earliestHead(run, machine)
    if (begin >= (run.lastEnd[machine] as number)) first = Math.min(first, begin)
  }
  return first
}

/** Where the earliest trigger begins that has been seen in part. */
const earliestPartial = (run: Run, held: Uint8Array): number => {
  const end = run.base + run.text.length
  const { machines, triggers } = run.program
  let first = end
  let longest = 0
  for (const { machine, seen } of triggers.partials(run.trigger)) {
    const bare = (machines[machine] as Machine).leadMax === 0
    // What took fewer characters begins later, unless a lead stands before it; and leads come first.
    if (bare && seen <= longest) break
    if (held[machine] === 0) continue
    const begin = beginning(run, machine, walkBack(run, { seen, end }))
    if (begin < (run.lastEnd[machine] as number)) continue
    first = Math.min(first, begin)
    if (bare) longest = seen
  }
  return first
}

/** Class of the last character that the view shows, if it is not far; SKIP when there is none. */
const lastClass = (run: Run): number => {
  let at = run.base + run.text.length
  const floor = Math.max(run.base, at - FAR)
  while (at > floor) {
    at = previous(run, at)
    const cls = classAt(run, at)
    if (cls !== SKIP) return cls
  }
  return SKIP
}

const FAR = 128
