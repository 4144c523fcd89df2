import { LOOK, SKIP } from './alphabet.ts'
import { FIELD, addCandidate, advance } from './candidates.ts'
import { classAt, widthAt } from './characters.ts'
import { beginning, replay, walkBack } from './lookback.ts'
import type { Run } from './run.ts'
import { settle } from './settle.ts'
import { ENDING } from './trie.ts'

/**
 * Reads on to the end of `run.text`, from offset `from`. Between candidates the loop is one look-up a character.
 * A pair of surrogates must not be cut.
 */
export const read = (run: Run, from: number): void => {
  const length = run.text.length
  let at = from - run.base
  run.steps += length - at
  while (at < length) {
    if (run.count === 0) at = skim(run, at)
    if (at < length) at += readOne(run, run.base + at)
  }
}

/** Reads on while nothing happens; the place in the text where something does. */
const skim = (run: Run, from: number): number => {
  const { next, hot } = run.program.triggers
  const { classOf } = run.program.alphabet
  const { text } = run
  const length = text.length
  let state = run.trigger
  let at = from
  for (; at < length; at++) {
    const to = next[state + (classOf[text.charCodeAt(at)] as number)] as number
    if (to >= hot) break
    state = to
  }
  run.trigger = state
  return at
}

/** Reads the character at an offset with everything that it may do; how many units it has. */
const readOne = (run: Run, at: number): number => {
  const { classOf } = run.program.alphabet
  const first = classOf[run.text.charCodeAt(at - run.base)] as number
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
  const { next, endsFrom, ends } = program.triggers
  const at = (next[run.trigger + SKIP] as number) - next.length
  const last = endsFrom[at + 1] as number
  const to = mayTry(run, end) ? Math.min(text.length, end - base + TRIED) : 0
  for (let i = endsFrom[at] as number; i < last; i += ENDING) {
    const machine = ends[i] as number
    const state = ends[i + 2] as number
    if (state > 0 && comesToNothing(run, machine, { state, at: end - base, to })) continue
    open(run, machine, { seen: ends[i + 1] as number, state, end, to })
  }
}

interface Opening {
  readonly seen: number
  readonly state: number
  readonly end: number
  /** Place in the text up to which a candidate is tried. */
  readonly to: number
}

const open = (run: Run, machine: number, { seen, state, end, to }: Opening): void => {
  const from = walkBack(run, { seen, end })
  const begin = beginning(run, machine, from)
  if (begin < (run.lastEnd[machine] as number)) return
  const behind = state > 0 ? state : replay(run, machine, { from, end })
  if (behind === 0) return
  if (state <= 0 && comesToNothing(run, machine, { state: behind, at: end - run.base, to })) return
  const candidate = addCandidate(run, machine, begin)
  run.cells[candidate + FIELD.state] = behind
  run.cells[candidate + FIELD.taken] = end
  const then = run.program.then[machine] as number
  if (then >= 0 && run.program.accepting[behind] === 1 && end >= (run.lastEnd[then] as number))
    addCandidate(run, then, end)
}

interface Trial {
  readonly state: number
  readonly at: number
  readonly to: number
}

/** Whether a candidate dies without a match on the text from place `at` to place `to`. */
const comesToNothing = (run: Run, machine: number, { state, at, to }: Trial): boolean => {
  const { column, next, accepting, alphabet } = run.program
  const { classOf } = alphabet
  const { text } = run
  const columns = machine * alphabet.size
  let on = state
  let place = at
  for (; place < to && on !== 0 && accepting[on] === 0; place++) {
    const cls = classOf[text.charCodeAt(place)] as number
    if (cls === LOOK) break
    const k = column[columns + cls] as number
    if (k !== 0) on = next[on + k] as number
  }
  run.tried += place - at
  run.steps += place - at
  return on === 0
}
