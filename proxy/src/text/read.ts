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

/** Opens a candidate of a machine whose trigger has just been seen. */
const open = (run: Run, { machine, seen }: Sighting, end: number): void => {
  const from = walkBack(run, { seen, end })
  const begin = beginning(run, machine, from)
  if (begin < (run.lastEnd[machine] as number)) return
  const state = replay(run, machine, { from, end })
  if (state === 0) return
  const candidate = addCandidate(run, machine, begin)
  run.cells[candidate + STATE] = state
  run.cells[candidate + TAKEN] = end
  const then = run.program.then[machine] as number
  if (then >= 0 && run.program.accepting[state] === 1 && end >= (run.lastEnd[then] as number))
    addCandidate(run, then, end)
}
