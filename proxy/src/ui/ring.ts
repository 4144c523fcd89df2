import type { Decision, Outcome } from './decision.ts'

export interface RingOptions {
  /** Decisions remembered, 1 to 100,000. One takes 0.5 to 2 KB, at most 20. */
  readonly size: number
}

export interface Filter {
  readonly outcome?: Outcome | undefined
  readonly rule?: string | undefined
  /** Part of a subject or tenant, in any case of letters. */
  readonly caller?: string | undefined
}

export interface DecisionRing {
  readonly size: number
  /** Decisions seen so far, forgotten ones included: the number of the newest. */
  readonly count: number
  seen(decision: Decision): void
  /** Newest first: those after number `after` that the filter lets through, at most `limit`. */
  recent(query: {
    readonly filter?: Filter
    readonly after?: number
    readonly limit: number
  }): readonly Decision[]
  /** Those whose id starts with the text, newest first, at most eight. */
  find(id: string): readonly Decision[]
  /** Policy revisions as traffic met them, newest first, at most eight. */
  revisions(): readonly Revision[]
}

export interface Revision {
  readonly revision: string
  /** Of the first decision under it, RFC 3339. */
  readonly since: string
}

const MAX_SIZE = 100_000
const MAX_REVISIONS = 8
const MAX_FOUND = 8

/** The last decisions. Remembering one costs two writes, however many people are looking. */
export const decisionRing = ({ size }: RingOptions): DecisionRing => {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE)
    throw new RangeError(`a ring remembers 1 to ${MAX_SIZE} decisions`)
  const kept: Decision[] = []
  const revisions: Revision[] = []
  let count = 0
  function* backwards(after: number): Generator<Decision> {
    const oldest = Math.max(after, count - kept.length)
    for (let number = count; number > oldest; number--) {
      const decision = kept[(number - 1) % size]
      if (decision) yield decision
    }
  }
  return {
    size,
    get count() {
      return count
    },
    seen: (decision) => {
      kept[count % size] = decision
      count += 1
      const { revision } = decision.policy
      if (revision === '' || revision === revisions[0]?.revision) return
      revisions.unshift({ revision, since: decision.time })
      if (revisions.length > MAX_REVISIONS) revisions.pop()
    },
    recent: ({ filter = {}, after = 0, limit }) =>
      backwards(after)
        .filter((decision) => passes(decision, filter))
        .take(limit)
        .toArray(),
    find: (id) =>
      backwards(0)
        .filter((decision) => decision.id.startsWith(id))
        .take(MAX_FOUND)
        .toArray(),
    revisions: () => [...revisions],
  }
}

const passes = (decision: Decision, { outcome, rule, caller }: Filter): boolean =>
  (outcome === undefined || decision.outcome === outcome) &&
  (rule === undefined || decision.findings.some((finding) => finding.rule === rule)) &&
  (caller === undefined || isFrom(decision, caller.toLowerCase()))

const isFrom = ({ caller }: Decision, part: string): boolean =>
  caller !== undefined &&
  (caller.subject.toLowerCase().includes(part) || caller.tenant.toLowerCase().includes(part))
