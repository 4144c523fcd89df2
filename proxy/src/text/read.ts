import { LOOK, SKIP } from './alphabet.ts'
import { FIELD, addCandidate, advance } from './candidates.ts'
import { classAt, widthAt } from './characters.ts'
import { beginning, replay, walkBack } from './lookback.ts'
import type { Run } from './run.ts'
import { settle } from './settle.ts'
import { ENDING } from './trie.ts'

/** Reads `run.text` from one place to another. A pair of surrogates must not be cut. */
export const read = (run: Run, from: number, to: number): void => {
  let at = from
  run.steps += to - from
  while (at < to) {
    if (run.count === 0) at = skim(run, at, to)
    if (at < to) at += readOne(run, at)
  }
}

/** Reads at least one character, and on while there are candidates; the place behind. */
export const readLive = (run: Run, from: number, to: number): number => {
  let at = from
  do at += readOne(run, at)
  while (run.count > 0 && at < to)
  run.steps += at - from
  return at
}

/** Reads on while nothing happens; the place where something does. One look-up a character: this is the inner loop. */
const skim = (run: Run, from: number, end: number): number => {
  const { next, hot } = run.program.triggers
  const { classOf } = run.program.alphabet
  const { text } = run
  let state = run.trigger
  let at = from
  for (; at < end; at++) {
    const to = next[state + (classOf[text.charCodeAt(at)] as number)] as number
    if (to >= hot) break
    state = to
  }
  run.trigger = state
  return at
}

/** Reads the character at a place with everything that it may do; how many units it has. */
const readOne = (run: Run, place: number): number => {
  const at = run.base + place
  const first = run.program.alphabet.classOf[run.text.charCodeAt(place)] as number
  const cls = first === LOOK ? classAt(run, at) : first
  const width = first === LOOK ? widthAt(run, at) : 1
  if (first === LOOK || cls === SKIP) run.rough = true
  step(run, cls, at + width)
  return width
}

const step = (run: Run, cls: number, end: number): void => {
  const { triggers } = run.program
  if (run.count > 0) {
    advance(run, cls, end)
    if (run.unsettled) settle(run)
  }
  if (cls === SKIP) {
    run.trigger = triggers.skip(run.trigger)
    return
  }
  run.trigger = triggers.next[run.trigger + cls] as number
  if (run.trigger >= triggers.hot) openAll(run, end)
}

/** Most characters that a candidate is tried on before it is followed step by step. */
const TRIED = 96
/** Trying is worth its work on ordinary text only: on text made of beginnings, following step by step is cheaper. */
const mayTry = (run: Run, end: number): boolean => run.tried < 4 * end + 4096

/**
 * Opens a candidate of each machine whose trigger has just been seen, unless the text at hand already shows that it dies
 * without a match. Most do, and then nothing needs to follow them.
 */
const openAll = (run: Run, end: number): void => {
  const { text, base, program } = run
  const { triggers, column, next, accepting, alphabet } = program
  const { classOf, size } = alphabet
  const { ends, endsFrom } = triggers
  const sighting = (triggers.next[run.trigger + SKIP] as number) - triggers.next.length
  const last = endsFrom[sighting + 1] as number
  const from = end - base
  const to = mayTry(run, end) ? Math.min(text.length, from + TRIED) : from
  for (let i = endsFrom[sighting] as number; i < last; i += ENDING) {
    const machine = ends[i] as number
    const columns = machine * size
    let state = ends[i + 2] as number
    let at = from
    // A machine without one state behind its trigger has -1 here, and is not tried.
    while (at < to && state > 0 && accepting[state] === 0) {
      const cls = classOf[text.charCodeAt(at++)] as number
      if (cls === LOOK) break
      const k = column[columns + cls] as number
      if (k !== 0) state = next[state + k] as number
    }
    run.tried += at - from
    run.steps += at - from
    if (state !== 0) open(run, i, end)
  }
}

/** Opens a candidate for the sighting at a place of `triggers.ends`. */
const open = (run: Run, sighting: number, end: number): void => {
  const { ends } = run.program.triggers
  const machine = ends[sighting] as number
  const from = walkBack(run, { seen: ends[sighting + 1] as number, end })
  const begin = beginning(run, machine, from)
  if (begin < (run.lastEnd[machine] as number)) return
  const known = ends[sighting + 2] as number
  const state = known > 0 ? known : replay(run, machine, { from, end })
  if (state === 0) return
  const candidate = addCandidate(run, machine, begin)
  run.cells[candidate + FIELD.state] = state
  run.cells[candidate + FIELD.taken] = end
  const then = run.program.then[machine] as number
  if (then >= 0 && run.program.accepting[state] === 1 && end >= (run.lastEnd[then] as number))
    addCandidate(run, then, end)
}
