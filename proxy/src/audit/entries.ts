import type {
  AuditBegin,
  AuditDecision,
  AuditFeedback,
  AuditFinding,
  AuditRecord,
  AuditResponse,
  AuditText,
} from '../core/audit.ts'
import type { EntropyStats } from '../core/flag.ts'
import type { Caller } from '../core/caller.ts'
import type { ModelVersion } from '../core/upstream.ts'
import type { Entry } from './chain.ts'
import { plainPath } from './paths.ts'

/** Bounds of one line: what is beyond them is counted, not written. */
const MAX_STRING = 256 // characters, for every string but ids
const MAX_ID = 128
const MAX_LIST = 64
const MAX_FINDINGS = 256
const MAX_TEXTS = 256

export const beginEntry = (entry: AuditBegin): Entry => ({
  type: 'begin',
  id: idOf(entry.id),
  members: members({
    route: clip(entry.route),
    model: clip(entry.model),
    caller: callerOf(entry.caller),
    trace: clip(entry.trace),
  }),
})

/** Names every member: what an object carries beyond its type is not written. Nor is what is undefined, which keeps one shape of object. */
export const exchangeEntry = (record: AuditRecord): Entry => ({
  type: 'exchange',
  id: idOf(record.id),
  members: members({
    time: clip(record.time),
    route: clip(record.route),
    model: clip(record.model),
    upstream: clip(record.upstream),
    caller: record.caller && callerOf(record.caller),
    client: clip(record.client),
    trace: clip(record.trace),
    span: clip(record.span),
    stream: record.stream,
    answered: clip(record.answered),
    served: record.served === null ? undefined : servedOf(record.served),
    versions: { guard: clip(record.versions.guard), rules: clip(record.versions.rules) },
    policy: { engine: clip(record.policy.engine), revision: clip(record.policy.revision) },
    outcome: record.outcome,
    status: record.status,
    reasons: list(record.reasons),
    decisions: record.decisions.map(decisionOf),
    decisions_omitted: omitted(record.decisionsOmitted),
    findings: record.findings.slice(0, MAX_FINDINGS).map(findingOf),
    findings_omitted: omitted(record.findings.length - MAX_FINDINGS),
    tools: filled(record.tools.map(({ name }) => name)),
    tools_not_offered: filled(record.tools.flatMap(({ name, offered }) => (offered ? [] : [name]))),
    flags: filled(record.flags),
    entropy: record.entropy === null ? undefined : entropyOf(record.entropy),
    texts: record.texts.slice(0, MAX_TEXTS).map(textOf),
    texts_omitted: omitted(record.texts.length - MAX_TEXTS),
    uninspected: record.uninspected,
    tokens: record.tokens && { input: record.tokens.input, output: record.tokens.output },
    timings: timingsOf(record.timings),
  }),
})

const servedOf = ({ name, version, digest, signer }: ModelVersion) => ({
  name: clip(name),
  version: clip(version),
  digest: clip(digest),
  signer: clip(signer),
})

/** Most exchanges have none, and then nothing is written. */
const filled = (texts: readonly string[]) => (texts.length > 0 ? list(texts) : undefined)

const timingsOf = (timings: AuditRecord['timings']) => {
  const kept: Record<string, number> = {}
  let left = MAX_LIST
  for (const name in timings) if (left-- > 0) kept[clip(name)] = rounded(timings[name] ?? 0)
  return kept
}

const entropyOf = ({ tokens, mean, max }: EntropyStats) => ({
  tokens,
  mean: rounded(mean),
  max: rounded(max),
})

const rounded = (value: number): number => Math.round(value * 1000) / 1000

const decisionOf = (decision: AuditDecision) => ({
  stage: decision.stage,
  allow: decision.allow,
  reasons: list(decision.reasons),
  revision: clip(decision.revision),
  times: decision.times,
  max_tokens: decision.maxTokens,
  model: decision.model === undefined ? undefined : clip(decision.model),
  tools_removed: decision.toolsRemoved,
})

const findingOf = (finding: AuditFinding) => ({
  direction: finding.direction,
  path: plainPath(finding.path),
  rule: clip(finding.rule),
  category: finding.category,
  start: finding.start,
  end: finding.end,
  score: finding.score,
  threshold: finding.threshold,
  evidence: list(finding.evidence),
  action: finding.action,
  by: finding.by,
})

const textOf = (text: AuditText) => ({
  direction: text.direction,
  path: plainPath(text.path),
  length: text.length,
  sha256: clip(text.sha256),
  capture: text.capture === undefined ? undefined : clip(text.capture),
})

/** An exchange that began and whose end this guard did not write: it was killed, or the log could not be written. */
export const lostEntry = (id: string, begun: number): Entry => ({
  type: 'lost',
  id,
  members: members({ begun }),
})

/** An exchange that is still running when its log file ends: named again in the next file. */
export const carryEntry = (id: string, begun: number): Entry => ({
  type: 'carry',
  id,
  members: members({ begun }),
})

/** The exchange has ended: its id is a member of its own, so that nothing waits for this line. */
export const feedbackEntry = ({ exchange, rule, verdict }: AuditFeedback): Entry => ({
  type: 'feedback',
  id: undefined,
  members: members({ exchange: idOf(exchange), rule: clip(rule), verdict }),
})

/** It is about no exchange, so it has no id of one. */
export const responseEntry = (entry: AuditResponse): Entry => ({
  type: 'response',
  id: undefined,
  members: members({
    order: clip(entry.order),
    kind: entry.kind,
    step: entry.step,
    target: Object.fromEntries(
      Object.entries(entry.target).map(([name, value]) => [clip(name), clip(value)]),
    ),
    by: clip(entry.by),
    event: clip(entry.event),
    until: clip(entry.until),
  }),
})

/** A line about the log itself. */
export const noteEntry = (
  type: 'open' | 'checkpoint' | 'rotate' | 'close' | 'retention' | 'recovered',
  what: Readonly<Record<string, string | number | null>>,
): Entry => ({ type, id: undefined, members: members(what) })

const members = (what: object): string => {
  const json = JSON.stringify(what)
  return json === '{}' ? '' : `,${json.slice(1, -1)}`
}

const omitted = (count: number) => (count > 0 ? count : undefined)

const clip = (text: string): string => (text.length > MAX_STRING ? text.slice(0, MAX_STRING) : text)

// Ids are ours; this only makes sure that the reader of the log can rely on it.
const idOf = (id: string): string =>
  PLAIN_ID.test(id) ? id : id.slice(0, MAX_ID).replaceAll(/[^!#-[\]-~]/g, '_') || '_'

const PLAIN_ID = /^[!#-[\]-~]{1,128}$/

const isShort = (text: string): boolean => text.length <= MAX_STRING

const list = (texts: readonly string[]): readonly string[] =>
  texts.length <= MAX_LIST && texts.every(isShort) ? texts : texts.slice(0, MAX_LIST).map(clip)

const callerOf = (caller: Caller): Caller => ({
  subject: clip(caller.subject),
  tenant: clip(caller.tenant),
  roles: list(caller.roles),
  scopes: list(caller.scopes),
  via: clip(caller.via),
})
