import type { TokenLogprob } from '../core/dialect.ts'
import type { Finding } from '../core/finding.ts'
import type { ScanSession } from '../core/scanner.ts'

/** Token probabilities wait until their token, and every alternative to it, can no longer become part of a finding. */
export interface LogprobQueue {
  push(tokens: readonly TokenLogprob[]): readonly Finding[]
  /** The text is complete. */
  end(): readonly Finding[]
  /** Those whose text has left. Undefined when there are none. */
  release(position: number): readonly TokenLogprob[] | undefined
  /** From now on there are none: they would spell what was taken out. */
  drop(): void
}

interface Waiting {
  readonly token: TokenLogprob
  readonly end: number
  readonly alternatives: readonly number[]
}

/** The k-th alternatives of all tokens are read as one text, since that is how they would spell something. */
export const logprobQueue = (open: () => ScanSession): LogprobQueue => {
  let waiting: Waiting[] = []
  let end = 0
  let dropped = false
  const lanes: { session: ScanSession; length: number }[] = []

  const read = (token: TokenLogprob): readonly Finding[] => {
    const found: Finding[] = []
    token.top.forEach((alternative, k) => {
      const lane = (lanes[k] ??= { session: open(), length: 0 })
      lane.length += alternative.token.length
      found.push(...lane.session.push(alternative.token))
    })
    return found
  }

  return {
    push(tokens) {
      if (dropped) return []
      return tokens.flatMap((token) => {
        const found = read(token)
        end += token.token.length
        waiting.push({ token, end, alternatives: lanes.map((lane) => lane.length) })
        return found
      })
    },
    end: () => (dropped ? [] : lanes.flatMap((lane) => [...lane.session.end()])),
    release(position) {
      if (dropped || waiting.length === 0) return undefined
      const stop = waiting.findIndex(
        (one) =>
          one.end > position ||
          one.alternatives.some((length, k) => length > (lanes[k]?.session.cleared ?? 0)),
      )
      const out = stop < 0 ? waiting : waiting.slice(0, stop)
      waiting = stop < 0 ? [] : waiting.slice(stop)
      return out.length > 0 ? out.map((one) => one.token) : undefined
    },
    drop() {
      dropped = true
      waiting = []
    },
  }
}
