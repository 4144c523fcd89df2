import { isRefusalCode } from '../core/refusal.ts'
import type { ExchangeLine } from './schema.ts'

/**
 * What would have had to be different for more to pass, as far as the record tells: policy is not asked again, and what the model
 * would have answered then is not known.
 */
export interface WouldHave {
  /** Numbers of findings, from 1 in the order of the record, that decided together. Empty: no finding did. */
  readonly findings: readonly number[]
  /** What they did: what would not have happened without them, or with another action for them. */
  readonly did:
    'block_request' | 'redact_request' | 'cut_answer' | 'redact_answer' | 'deny' | 'refuse' | 'end_answer'
  /** Policy's reason codes for a denial, the refusal code for a refusal. */
  readonly codes: readonly string[]
}

/** Every thing that took something away, in the order in which it would have had to be different. Empty: all passed. */
export const wouldHave = (record: ExchangeLine): readonly WouldHave[] => {
  const acted = (direction: string, action: string): readonly number[] =>
    record.findings.flatMap((finding, i) =>
      finding.direction === direction && finding.action === action && finding.by !== 'denied' ? [i + 1] : [],
    )
  const found = (did: WouldHave['did'], findings: readonly number[]): readonly WouldHave[] =>
    findings.length === 0 ? [] : [{ findings, did, codes: [] }]
  const [code = ''] = record.reasons
  const blocked = code === 'content_blocked' ? acted('request', 'block') : []
  return [
    ...refused(record, blocked.length > 0),
    ...denials(record),
    ...found('block_request', blocked),
    ...found('redact_request', acted('request', 'redact')),
    ...found('cut_answer', acted('response', 'block')),
    ...found('redact_answer', acted('response', 'redact')),
    ...(record.outcome === 'cut' && record.reasons.includes('budget_spent')
      ? [{ findings: [], did: 'end_answer', codes: ['budget_spent'] } as const]
      : []),
  ]
}

/** A refusal that is no decision about content, such as a missing credential. */
const refused = ({ reasons: [code] }: ExchangeLine, explained: boolean): readonly WouldHave[] =>
  code === undefined || !isRefusalCode(code) || code === 'policy_denied' || explained
    ? []
    : [{ findings: [], did: 'refuse', codes: [code] }]

/** A record of an older guard has no decisions, and its reasons are then those of the denial. */
const denials = ({ decisions, reasons }: ExchangeLine): readonly WouldHave[] => {
  const denied = decisions?.filter(({ allow }) => !allow)
  if (denied === undefined)
    return reasons[0] === 'policy_denied'
      ? [{ findings: [], did: 'deny', codes: reasons.filter((code) => !isRefusalCode(code)) }]
      : []
  return denied.map((decision) => ({ findings: [], did: 'deny', codes: decision.reasons }))
}
