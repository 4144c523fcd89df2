import type { Finding } from '../core/finding.ts'
import type { Holds, ScanSession } from '../core/scanner.ts'
import { openLayer } from './layer.ts'
import type { Program } from './program.ts'

/** Scans a text in pieces. Keeps the last characters only, and those of candidates whose rule has a check. */
export const openSession = (programs: readonly Program[], holds: Holds): ScanSession => {
  const reader = openLayer(programs.map((program) => ({ program, held: heldBy(program, holds) })))
  let cleared = 0
  let length = 0
  return {
    push: (piece) => {
      length += piece.length
      reader.push(piece)
      cleared = Math.max(cleared, reader.cleared())
      return reader.take()
    },
    end: (): readonly Finding[] => {
      reader.end()
      cleared = length
      return reader.take()
    },
    get cleared() {
      return cleared
    },
  }
}

/** By machine: whether text is held back for its findings. */
const heldBy = ({ machines, then }: Program, holds: Holds): Uint8Array => {
  const held = new Uint8Array(machines.length)
  machines.forEach(({ rule, category }, at) => {
    if (then[at] === -1 && holds(rule, category)) held[at] = 1
  })
  return held
}
