import type { Finding } from '../core/finding.ts'
import type { Holds, ScanSession } from '../core/scanner.ts'
import { clearedBy } from './cleared.ts'
import type { Program } from './program.ts'
import { startRun } from './run.ts'
import { settleAtEnd } from './settle.ts'
import { take } from './take.ts'

/** Scans a text in pieces. Keeps the last characters only, and those of candidates whose rule has a check. */
export const openSession = (programs: readonly Program[], holds: Holds): ScanSession => {
  const runs = programs.map((program) => ({ run: startRun(program), held: heldBy(program, holds) }))
  let carried = ''
  let length = 0
  let cleared = 0
  const takeAll = (piece: string): void => {
    for (const { run } of runs) take(run, piece)
    length += piece.length
  }
  const found = (): readonly Finding[] => {
    const all = runs.flatMap(({ run }) => run.found)
    for (const { run } of runs) if (run.found.length > 0) run.found = []
    return all
  }
  return {
    push: (piece) => {
      const whole = carried + piece
      const cut = endsInHalf(whole) ? whole.length - 1 : whole.length
      carried = whole.slice(cut)
      takeAll(cut === whole.length ? whole : whole.slice(0, cut))
      cleared = Math.max(cleared, Math.min(length, ...runs.map(({ run, held }) => clearedBy(run, held))))
      return found()
    },
    end: () => {
      takeAll(carried)
      carried = ''
      for (const { run } of runs) settleAtEnd(run)
      cleared = length
      return found()
    },
    get cleared() {
      return cleared
    },
  }
}

/** By machine: whether text is held back for its findings. */
const heldBy = ({ machines, then }: Program, holds: Holds): Uint8Array =>
  Uint8Array.from(machines, ({ rule, category }, at) => Number(then[at] === -1 && holds(rule, category)))

const endsInHalf = (text: string): boolean => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}
