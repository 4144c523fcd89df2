import type { Finding } from '../core/finding.ts'
import type { Holds, ScanSession } from '../core/scanner.ts'
import { cipherOf } from './gates.ts'
import { openLayer } from './layer.ts'
import type { Program } from './program.ts'

/** Scans a text in pieces. Keeps the last characters only, and those of candidates whose rule has a check. */
export const openSession = (programs: readonly Program[], holds: Holds): ScanSession => {
  const reader = openLayer(programs.map((program) => ({ program, held: heldBy(program, holds) })))
  let length = 0
  // Not an accessor: in an object literal that makes V8 a new shape for every session.
  const session = {
    cleared: 0,
    push: (piece: string): readonly Finding[] => {
      length += piece.length
      reader.push(piece)
      session.cleared = Math.max(session.cleared, reader.cleared())
      return reader.take()
    },
    end: (): readonly Finding[] => {
      reader.end()
      session.cleared = length
      return reader.take()
    },
  }
  return session
}

/** By machine: whether text is held back for its findings. */
const heldBy = ({ machines, then }: Program, holds: Holds): Uint8Array => {
  const held = new Uint8Array(machines.length)
  machines.forEach(({ rule, category }, at) => {
    if (then[at] === -1 && cipherOf(rule) === undefined && holds(rule, category)) held[at] = 1
  })
  return held
}
