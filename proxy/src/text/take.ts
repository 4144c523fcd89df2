import { FIELD } from './candidates.ts'
import type { Machine } from './program.ts'
import { KEPT } from './reach.ts'
import { read } from './read.ts'
import { readTogether } from './read-together.ts'
import type { Run } from './run.ts'
import { START as NOTHING } from './trie.ts'

/** Gives the next piece of a text, whose surrogate pairs are whole, to the runs that read it. */
export const take = (runs: readonly Run[], piece: string): void => {
  const [one] = runs
  if (one === undefined) return
  const { text, base } = one
  const end = base + text.length
  const keep = runs.reduce((least, run) => Math.min(least, keptFrom(run)), Math.max(base, end - KEPT))
  // One string for all: it is made flat once.
  const known = text === '' ? piece : text.slice(keep - base) + piece
  for (const run of runs) {
    run.text = known
    run.base = keep
  }
  readAll(runs, piece, end - keep)
}

const readAll = (runs: readonly Run[], piece: string, from: number): void => {
  const [first, second] = runs
  const together = first !== undefined && second !== undefined && alwaysReads(first) && alwaysReads(second)
  if (together) readTogether(first, second, from)
  let ascii: boolean | undefined
  for (let i = together ? 2 : 0; i < runs.length; i++) {
    const run = runs[i] as Run
    if (isIdle(run) && (ascii ??= isAscii(piece))) continue
    read(run, from, run.text.length)
  }
}

/** Whether a run reads every text, and counts the halves of a pair as one character as others do. */
const alwaysReads = ({ program }: Run): boolean => !program.beyondAscii && program.alphabet.view !== 'raw'

/** Whether a run has nothing under way and text that is all ASCII begins nothing. */
const isIdle = ({ program, count, trigger }: Run): boolean =>
  program.beyondAscii && count === 0 && trigger === NOTHING

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length

/** The earliest character that a check will ask for. */
const keptFrom = ({ cells, count, program }: Run): number => {
  let keep = Infinity
  for (let from = 0; from < count * FIELD.size; from += FIELD.size) {
    const { check } = program.machines[cells[from + FIELD.machine] as number] as Machine
    if (check !== undefined) keep = Math.min(keep, cells[from + FIELD.start] as number)
  }
  return keep
}
