import type { Decision } from './decision.ts'
import { readForm } from './login.ts'
import { redirect, send, type Exchange } from './reply.ts'
import type { Shown, Verdict } from './state.ts'
import { foreign, h, type Tree } from './tree.ts'
import { decisionUrl } from './words.ts'

/** What people said of decisions since the start. The audit log has it for good. */
export interface Judgements {
  /** `POST /ui/decisions/ID/judge`, of a person who is signed in. Rejects when it cannot be written. */
  take(exchange: Exchange, id: string): Promise<void>
  /** What the page asks of a decision; nothing when nobody is asked. */
  asked(decision: Decision): readonly Tree[]
}

const MAX_KEPT = 10_000
/** The decision as a whole: it was refused or passed without a finding. */
const WHOLE = 'none'

export const judgements = ({ decisions, judging }: Pick<Shown, 'decisions' | 'judging'>): Judgements => {
  const kept = new Map<string, Verdict>()
  return {
    take: async (exchange, id) => {
      const decision = decisions.find(id).find((one) => one.id === id)
      const form = await readForm(exchange.request)
      const rule = form?.get('rule') ?? ''
      const verdict = form?.get('verdict') ?? ''
      if (judging === undefined || decision === undefined)
        refuse(exchange, 404, 'there is no such decision to judge')
      // Only rules that found something here: the rule is a label of a metric.
      else if (!rulesOf(decision).includes(rule) || !isVerdict(verdict))
        refuse(exchange, 400, 'send a rule of this decision, and right or wrong')
      else {
        const key = `${id} ${rule}`
        if (kept.get(key) !== verdict) {
          await judging.judge(id, rule, verdict)
          kept.set(key, verdict)
          const [oldest] = kept.keys()
          if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest)
        }
        redirect(exchange, decisionUrl(decision))
      }
    },
    asked: (decision) => (judging === undefined ? [] : [section(decision, kept)]),
  }
}

const refuse = (exchange: Exchange, status: number, body: string): void =>
  send(exchange, { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` })

const isVerdict = (text: string): text is Verdict => text === 'right' || text === 'wrong'

const rulesOf = ({ findings }: Decision): readonly string[] =>
  findings.length === 0 ? [WHOLE] : [...new Set(findings.map(({ rule }) => rule))]

const section = (decision: Decision, kept: ReadonlyMap<string, Verdict>): Tree =>
  h(
    'section',
    { 'aria-labelledby': 'judge-h' },
    h('h2', { id: 'judge-h' }, 'Was this right?'),
    h(
      'p',
      { class: 'summary' },
      'Your answer goes into the audit log and is counted by rule, so that those who write rules and policy see which are wrong.',
    ),
    ...rulesOf(decision).map((rule) => question(decision, rule, kept.get(`${decision.id} ${rule}`))),
  )

const question = (decision: Decision, rule: string, said: Verdict | undefined): Tree => {
  const what = rule === WHOLE ? 'the decision' : rule
  const button = (verdict: Verdict): Tree =>
    h(
      'button',
      {
        type: 'submit',
        class: 'plain',
        name: 'verdict',
        value: verdict,
        'aria-label': `${what} was ${verdict}`,
      },
      verdict === 'right' ? 'Right' : 'Wrong',
    )
  return h(
    'form',
    { method: 'post', action: `${decisionUrl(decision)}/judge` },
    h('input', { type: 'hidden', name: 'rule', value: rule }),
    h('span', {}, foreign(what), said === undefined ? ' ' : ` (judged ${said}) `),
    button('right'),
    ' ',
    button('wrong'),
  )
}
