import { setImmediate as nextTurn } from 'node:timers/promises'
import { byPlace, type Finding } from '../core/finding.ts'
import { Refusal } from '../core/refusal.ts'
import type { Scanner } from '../core/scanner.ts'

/** Scans one exchange in slices, so that the texts of one caller never keep the others waiting. */
export interface PacedScan {
  /** Synchronous for texts that are short, while the slice lasts. Throws Refusal `guard_failed`, or what `tooLong` says. */
  scan(text: string): readonly Finding[] | Promise<readonly Finding[]>
}

export interface PaceOptions {
  readonly signal: AbortSignal
  /** Milliseconds of scanning in all, waiting not counted; beyond it the exchange is refused. */
  readonly budgetMs: number
  readonly tooLong: () => Refusal
}

/** Others wait at most about this long, or for one piece. */
const SLICE_MS = 10
/** Characters scanned between two looks at the clock. */
const PIECE = 8192

export const pacedScan = (scanner: Scanner, { signal, budgetMs, tooLong }: PaceOptions): PacedScan => {
  let spent = 0
  let since = performance.now()
  const turn = async (): Promise<void> => {
    const now = performance.now()
    if (now - since < SLICE_MS) return
    spent += now - since
    if (spent > budgetMs) throw tooLong()
    await nextTurn()
    if (signal.aborted) throw new Refusal('client_gone')
    since = performance.now()
  }
  const long = async (text: string): Promise<readonly Finding[]> => {
    const session = scanner.open(() => false)
    const found: Finding[] = []
    for (let from = 0; from < text.length; from += PIECE) {
      for (const finding of safely(scanner, () => session.push(text.slice(from, from + PIECE))))
        found.push(finding)
      await turn()
    }
    for (const finding of safely(scanner, () => session.end())) found.push(finding)
    return found.sort(byPlace)
  }
  return {
    scan(text) {
      if (text.length > PIECE) return long(text)
      const findings = scanSafely(scanner, text)
      return performance.now() - since < SLICE_MS ? findings : turn().then(() => findings)
    },
  }
}

export const scanSafely = (scanner: Scanner, text: string): readonly Finding[] =>
  safely(scanner, () => scanner.scan(text))

const safely = <Value>(scanner: Scanner, work: () => Value): Value => {
  try {
    return work()
  } catch (cause) {
    throw new Refusal('guard_failed', { cause, details: [`scanner ${scanner.name}`] })
  }
}
