import type { AuditDecision, AuditFinding, AuditRecord } from '../core/audit.ts'
import type { Caller } from '../core/caller.ts'
import type { Answered, Decision, Place, Who } from './decision.ts'

export interface SummariserOptions {
  /** What of a path may be shown: keys that a caller chose are text too. */
  readonly plainPath: (path: string) => string
}

const MAX_STRING = 256
const MAX_FINDINGS = 32
const MAX_NAMES = 16
const MAX_POOL = 4096

/** Takes what the page shows out of a record. Costs about a microsecond for each string that is new, less for known ones. */
export const summariser = ({ plainPath }: SummariserOptions): ((record: AuditRecord) => Decision) => {
  const own = stringPool()
  const place = (found: AuditFinding): Place => {
    const { rule, direction, path, start, end, score, threshold, evidence, action, by } = found
    const codes = names(evidence)
    return {
      rule: own(rule),
      direction,
      path: own(plainPath(path)),
      start,
      end,
      score,
      threshold,
      evidence: codes,
      action,
      by,
    }
  }
  const answered = ({ stage, allow, reasons, times, ...said }: AuditDecision): Answered => ({
    stage,
    allow,
    reasons: names(reasons),
    times,
    maxTokens: said.maxTokens,
    model: said.model === undefined ? undefined : own(said.model),
    toolsRemoved: said.toolsRemoved ?? 0,
  })
  const who = ({ subject, tenant, roles, via }: Caller): Who => {
    return { subject: own(subject), tenant: own(tenant), roles: names(roles), via: own(via) }
  }
  const names = (list: readonly string[]): readonly string[] =>
    list.length === 0 ? NONE : list.slice(0, MAX_NAMES).map(own)
  return (record) => ({
    id: bounded(record.id),
    time: bounded(record.time),
    route: own(record.route),
    model: own(record.model),
    upstream: own(record.upstream),
    caller: record.caller === null ? undefined : who(record.caller),
    client: own(record.client),
    trace: bounded(record.trace),
    stream: record.stream,
    policy: { engine: own(record.policy.engine), revision: own(record.policy.revision) },
    outcome: record.outcome,
    status: record.status,
    reasons: names(record.reasons),
    decisions: record.decisions.slice(0, MAX_NAMES).map(answered),
    findings: record.findings.length === 0 ? NONE : record.findings.slice(0, MAX_FINDINGS).map(place),
    omitted: Math.max(0, record.findings.length - MAX_FINDINGS),
    tools: record.tools.slice(0, MAX_NAMES).map(({ name, offered }) => ({ name: own(name), offered })),
    flags: record.flags,
    entropy: record.entropy === null ? undefined : { mean: record.entropy.mean, max: record.entropy.max },
    texts: record.texts.length,
    uninspected: record.uninspected,
    tokens: record.tokens === null ? undefined : { input: record.tokens.input, output: record.tokens.output },
    timings: copied(record.timings),
  })
}

const NONE: readonly never[] = []

const copied = (timings: AuditRecord['timings']): Decision['timings'] => {
  const copy: Record<string, number> = {}
  let left = MAX_NAMES
  for (const name in timings) {
    if (left-- === 0) break
    copy[name] = timings[name] ?? 0
  }
  return copy
}

/**
 * Each string once, cut to 256 characters, and as characters of its own: a string cut out of a request body by V8 would keep the
 * whole body in memory for as long as the decision is remembered.
 */
const stringPool = (): ((text: string) => string) => {
  const pool = new Map<string, string>()
  return (text) => {
    if (text.length > MAX_STRING) return flat(`${text.slice(0, MAX_STRING - 1)}…`)
    const known = pool.get(text)
    if (known !== undefined) return known
    if (pool.size >= MAX_POOL) pool.clear()
    const copy = flat(text)
    pool.set(copy, copy)
    return copy
  }
}

/** For what the guard or Node made itself, which hangs on nothing larger. */
const bounded = (text: string): string => (text.length > MAX_STRING ? flat(text.slice(0, MAX_STRING)) : text)

// UTF-16, because a lone surrogate is a character here as any other.
const flat = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le')
