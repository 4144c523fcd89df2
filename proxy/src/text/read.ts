import { LOOK, SKIP } from './alphabet.ts'
import { addCandidate, advance, STATE, TAKEN } from './candidates.ts'
import { beginning, classAt, replay, walkBack, widthAt } from './lookback.ts'
import type { Run } from './run.ts'
import { settle } from './settle.ts'
import type { Sighting } from './trie.ts'

/**
 * Reads on to the end of `run.text`, from offset `from`. Between candidates the loop is one look-up a character.
 * A pair of surrogates must not be cut.
 */
export const read = (run: Run, from: number): void => {
  const { next, hot } = run.program.triggers
  const { classOf } = run.program.alphabet
  const { text, base } = run
  const length = text.length
  let at = from - base
  run.steps += length - at
  while (at < length) {
    let state = run.trigger
    if (run.count === 0)
      for (; at < length; at++) {
        const to = next[state + (classOf[text.charCodeAt(at)] as number)] as number
        if (to >= hot) break
        state = to
      }
    run.trigger = state
    if (at < length) at += readOne(run, base + at)
  }
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
  run.trigger = cls === SKIP ? triggers.skip(run.trigger) : (triggers.next[run.trigger + cls] as number)
  if (run.trigger < triggers.hot || cls === SKIP) return
  for (const sighting of triggers.ends(run.trigger)) open(run, sighting, end)
}

/** Opens a candidate of a machine whose trigger has just been seen, unless the text at hand already ends it. */
const open = (run: Run, { machine, seen, state }: Sighting, end: number): void => {
  if (state > 0 && comesToNothing(run, machine, { state, end })) return
  const from = walkBack(run, { seen, end })
  const begin = beginning(run, machine, from)
  if (begin < (run.lastEnd[machine] as number)) return
  const behind = state > 0 ? state : replay(run, machine, { from, end })
  if (behind === 0 || (state <= 0 && comesToNothing(run, machine, { state: behind, end }))) return
  const candidate = addCandidate(run, machine, begin)
  run.cells[candidate + STATE] = behind
  run.cells[candidate + TAKEN] = end
  const then = run.program.then[machine] as number
  if (then >= 0 && run.program.accepting[behind] === 1 && end >= (run.lastEnd[then] as number))
    addCandidate(run, then, end)
}

/** Most characters that a candidate is tried on before it is followed step by step. */
const TRIED = 96
/** Trying is worth its work on ordinary text only: on text made of beginnings, following step by step is cheaper. */
const mayTry = (run: Run, end: number): boolean => run.tried < 4 * end + 4096

/** Whether a candidate dies without a match on the next few characters. Most do, and then nothing needs to follow them. */
const comesToNothing = (
  run: Run,
  machine: number,
  { state, end }: { state: number; end: number },
): boolean => {
  const { column, next, accepting, alphabet } = run.program
  if (!mayTry(run, end)) return false
  const { text, base } = run
  const to = Math.min(text.length, end - base + TRIED)
  const columns = machine * alphabet.size
  let on = state
  let at = end - base
  for (; at < to && on !== 0 && accepting[on] === 0; at++) {
    const cls = alphabet.classOf[text.charCodeAt(at)] as number
    if (cls === LOOK) break
    const k = column[columns + cls] as number
    if (k !== 0) on = next[on + k] as number
  }
  const tried = at - end + base
  run.tried += tried
  run.steps += tried
  return on === 0
}
