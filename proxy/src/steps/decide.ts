import type { Caller } from '../core/caller.ts'
import type { Prompt, ToolCall } from '../core/dialect.ts'
import type { Finding, Scanned } from '../core/finding.ts'
import type { TextKind } from '../core/json-texts.ts'
import { noteDecision, type Notes } from '../core/notes.ts'
import type { FindingFacts, PolicyAnswer, PolicyEngine, RequestFacts, Stage } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'

/** What policy is asked, in this stage, about these findings. */
export interface Question {
  readonly stage: Stage
  readonly findings: readonly FindingFacts[]
  readonly tool?: Pick<ToolCall, 'name' | 'arguments'>
}

/** Asks policy about one exchange; who calls and what was asked for stay the same for its whole life. */
export type Decide = (question: Question) => Promise<PolicyAnswer>

export const decideStep =
  (policy: PolicyEngine) =>
  (caller: Caller, prompt: Prompt, notes: Notes): Decide => {
    const request = requestFacts(notes.received.route.name, prompt)
    return async (question) => {
      const begin = performance.now()
      const answer = await policy.decide({ ...question, caller, request })
      notes.meter.observe(
        'postern_decision_seconds',
        (performance.now() - begin) / 1000,
        question.stage,
        policy.name,
      )
      notes.policyRevision = policy.revision()
      noteDecision(notes, question.stage, answer)
      notes.reasons = [...new Set([...notes.reasons, ...answer.reasons])]
      return answer
    }
  }

export const requestFacts = (route: string, prompt: Prompt): RequestFacts => ({
  route,
  model: prompt.model,
  stream: prompt.stream,
  tools: prompt.tools,
  params: prompt.params,
  extras: prompt.extras,
})

/** A denial by policy, as the client sees it. */
export const denied = (answer: PolicyAnswer & { readonly allow: false }): Refusal =>
  new Refusal('policy_denied', { details: answer.reasons })

/** One entry per rule, role and channel, sorted: equal situations give equal facts. */
export interface FactBook {
  add(kind: TextKind, findings: readonly Finding[]): void
  facts(): readonly FindingFacts[]
}

export const factBook = (): FactBook => {
  const facts = new Map<string, FindingFacts>()
  return {
    add({ role, channel }, findings) {
      for (const { rule, category, score } of findings) {
        const key = `${rule} ${role} ${channel}`
        const known = facts.get(key)
        facts.set(key, {
          rule,
          category,
          role,
          channel,
          score: Math.max(Math.floor(score * 100) / 100, known?.score ?? 0),
          count: 1 + (known?.count ?? 0),
        })
      }
    },
    facts: () => [...facts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact),
  }
}

export const factsOf = (scanned: readonly Scanned[]): readonly FindingFacts[] => {
  const book = factBook()
  for (const { text, findings } of scanned) book.add(text, findings)
  return book.facts()
}
