import { FIELDS, MACHINE, START } from './candidates.ts'
import { KEPT } from './lookback.ts'
import type { Machine } from './program.ts'
import { read } from './read.ts'
import type { Run } from './run.ts'
import { START as NOTHING } from './trie.ts'

/** Takes the next piece of the text, whose surrogate pairs are whole, and reads it. */
export const take = (run: Run, piece: string): void => {
  const end = run.base + run.text.length
  forget(run, end)
  run.text = run.text === '' ? piece : run.text + piece
  if (run.program.beyondAscii && run.count === 0 && run.trigger === NOTHING && isAscii(piece)) return
  read(run, end)
}

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length

/** Drops what no look back can reach any more, and no check asks for. */
const forget = (run: Run, end: number): void => {
  let keep = Math.max(run.base, end - KEPT)
  for (let from = 0; from < run.count * FIELDS; from += FIELDS) {
    const { check } = run.program.machines[run.cells[from + MACHINE] as number] as Machine
    if (check !== undefined) keep = Math.min(keep, run.cells[from + START] as number)
  }
  run.text = run.text.slice(keep - run.base)
  run.base = keep
}
