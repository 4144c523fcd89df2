import type { AuditFinding } from '../core/audit.ts'
import type { Changes } from '../core/dialect.ts'
import type { Finding, Scanned } from '../core/finding.ts'
import { noteOutcome, type Notes } from '../core/notes.ts'
import { actionFor, rowFor, type Actions, type PolicyAnswer } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { pointer, type Edit, type Text } from '../core/text.ts'
import { cleanWhole } from '../stream/redact.ts'
import { denied } from './decide.ts'
import type { Direction } from './inspect.ts'
import type { Asked } from './read-prompt.ts'

const permit = Symbol('admitted')

/** A permit: only `admit` makes one, and only an Admitted can be forwarded. */
export interface Admitted extends Asked {
  readonly changes: Changes
  readonly [permit]: true
}

export interface Admission {
  readonly asked: Asked
  readonly scanned: readonly Scanned[]
  readonly decision: PolicyAnswer
}

/** Does what policy said about the request and its findings. Throws Refusal `policy_denied` or `content_blocked`. */
export const admitStep = ({ asked, scanned, decision }: Admission, notes: Notes): Admitted => {
  const actions = decision.allow ? decision.actions : DENIED
  for (const { text, findings } of scanned) {
    noteFindings({ notes, direction: 'request', actions }, pointer(text.path), findings)
  }
  if (!decision.allow) throw denied(decision)
  const { obligations } = decision
  const edits = scanned.flatMap(({ text, findings }) => editOf(text, findings, actions))
  if (edits.length > 0) noteOutcome(notes, 'redacted')
  const changes: Changes = {
    edits,
    model: obligations.model ?? asked.prompt.model,
    removeTools: obligations.remove_tools ?? [],
    ...(obligations.max_tokens === undefined ? {} : { maxTokens: obligations.max_tokens }),
  }
  return { ...asked, changes, [permit]: true }
}

/** Nothing of a denied exchange gets through. */
export const DENIED: Actions = { rules: {}, categories: {}, default: 'block' }

const editOf = (text: Text, findings: readonly Finding[], actions: Actions): readonly Edit[] => {
  const cleaned = cleanWhole(text.value, findings, (finding) =>
    actionFor(actions, finding.rule, finding.category),
  )
  if (cleaned.blocked) throw new Refusal('content_blocked', { details: [`rule ${cleaned.blocked.rule}`] })
  return cleaned.redacted ? [{ path: text.path, value: cleaned.text }] : []
}

export interface FindingNotes {
  readonly notes: Notes
  readonly direction: Direction
  readonly actions: Actions
}

/** Findings go into the record and the metrics with what was done about them. */
export const noteFindings = (at: FindingNotes, path: string, findings: readonly Finding[]): void => {
  const { notes, direction, actions } = at
  for (const { rule, category, start, end, score, evidence } of findings) {
    const action = actionFor(actions, rule, category)
    const by = actions === DENIED ? 'denied' : rowFor(actions, rule, category)
    const threshold = thresholdOf(actions, rule)
    const found: AuditFinding = { direction, path, rule, category, start, end, score, evidence, action, by }
    notes.findings.push(threshold === undefined ? found : { ...found, threshold })
    notes.meter.add('postern_findings_total', 1, rule, direction, action)
  }
}

const thresholdOf = ({ thresholds }: Actions, rule: string): number | undefined =>
  thresholds !== undefined && Object.hasOwn(thresholds, rule) ? thresholds[rule] : undefined
