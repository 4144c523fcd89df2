import { refusals } from '../core/refusal.ts'
import type { Answered, Decision, Place } from './decision.ts'
import { searchForm } from './decisions.ts'
import { addedMs } from './hour.ts'
import type { Page } from './shell.ts'
import { foreign, h, visible, type Tree } from './tree.ts'
import { badge, decisionRow, decisionTable, doneAbout, outcomes } from './words.ts'

/** Who asked, what was found where, what the policy said, and what the client saw. */
export const explained = (decision: Decision): Page => ({
  title: `${outcomes[decision.outcome].name}, ${decision.id}`,
  here: '/ui/decisions',
  main: [
    h('p', { class: 'crumb' }, h('a', { href: '/ui/decisions' }, 'Decisions')),
    h('h1', {}, 'Decision ', h('code', {}, visible(decision.id))),
    h('p', { class: 'verdict' }, badge(decision.outcome), ' ', ...because(decision)),
    h(
      'div',
      { class: 'columns' },
      facts('Who asked', who(decision)),
      facts('What the client saw', clientSaw(decision)),
      facts('What was asked', asked(decision)),
      facts('What the policy said', policySaid(decision)),
      ...unusual(decision),
    ),
    found(decision),
    ...otherwise(decision),
    timings(decision),
    h(
      'p',
      { class: 'summary' },
      'The audit log has the same decision, with the SHA-256 of every text inspected, and proves it: ',
      h('code', {}, `postern explain ${visible(decision.id)}`),
    ),
  ],
})

/** One or two sentences that a person can repeat to the one who complains. */
const because = (decision: Decision): readonly Tree[] => {
  const { outcome, reasons, findings } = decision
  const decisive = findings.filter(({ action }) => action === 'block')
  const first = (decisive[0] ?? findings.find(({ action }) => action === 'redact'))?.rule
  const code = codeOf(decision)
  const what: readonly Tree[] =
    outcome === 'allowed' && findings.length === 0
      ? ['Nothing was found, and the policy allowed it.']
      : outcome === 'allowed'
        ? [`The policy allowed it, though ${places(findings.length)} found.`]
        : first !== undefined && (decisive.length > 0 || outcome === 'redacted')
          ? ['Because of ', h('strong', {}, foreign(first)), ` in the ${sides(decision)}.`]
          : code !== undefined
            ? [refusals[code].message]
            : reasons[0] !== undefined
              ? ['Because of ', h('strong', {}, foreign(reasons[0])), '.']
              : []
  return [...what, ' ', outcomes[outcome].means]
}

const places = (count: number): string => (count === 1 ? 'one thing was' : `${count} things were`)

const sides = ({ findings }: Decision): string => {
  const acted = findings.filter(({ action }) => action === 'block' || action === 'redact')
  const names = new Set(acted.map(({ direction }) => (direction === 'request' ? 'prompt' : 'answer')))
  return [...names].join(' and in the ')
}

const codeOf = ({ reasons }: Decision): keyof typeof refusals | undefined =>
  (Object.keys(refusals) as (keyof typeof refusals)[]).find((code) => code === reasons[0])

type Fact = readonly [name: string, ...value: readonly Tree[]]

const facts = (title: string, rows: readonly Fact[]): Tree =>
  h(
    'section',
    {},
    h('h2', {}, title),
    h(
      'dl',
      { class: 'facts' },
      ...rows.map(([name, ...value]) => h('div', {}, h('dt', {}, name), h('dd', {}, ...value))),
    ),
  )

const who = ({ caller, client }: Decision): readonly Fact[] =>
  caller
    ? [
        ['Subject', foreign(caller.subject)],
        ['Tenant', foreign(caller.tenant === '' ? '–' : caller.tenant)],
        ['Roles', foreign(caller.roles.join(', ') || 'none')],
        ['Vouched for by', foreign(caller.via)],
        ['Address', foreign(client)],
      ]
    : [
        ['Subject', 'Nobody that the guard could identify'],
        ['Address', foreign(client)],
      ]

const asked = ({
  route,
  model,
  upstream,
  texts,
  uninspected,
  tokens,
  time,
  stream,
}: Decision): readonly Fact[] => [
  ['Time', h('time', { datetime: visible(time) }, visible(time.replace('T', ' ').replace('Z', ' UTC')))],
  ['Route', foreign(route === '' ? 'none that the guard has' : `${route}${stream ? ', streamed' : ''}`)],
  ['Model', foreign(model === '' ? 'not read' : model)],
  ['Answered by', foreign(upstream === '' ? 'no model server' : upstream)],
  ['Texts inspected', String(texts)],
  ...(uninspected > 0 ? [['Passed uninspected', String(uninspected)] satisfies Fact] : []),
  ['Tokens', tokens ? `${tokens.input} in, ${tokens.output} out` : 'not known'],
]

const unusual = ({ tools, flags, entropy }: Decision): readonly Tree[] => {
  const rows: readonly Fact[] = [
    ...(tools.length === 0 ? [] : [['Tools called', foreign(tools.map(toolName).join(', '))] satisfies Fact]),
    ...(entropy === undefined
      ? []
      : [
          [
            'Entropy',
            `${entropy.mean.toFixed(2)} bits a token, ${entropy.max.toFixed(2)} at most`,
          ] satisfies Fact,
        ]),
    ...(flags.length === 0 ? [] : [['Unusual', codes(flags)] satisfies Fact]),
  ]
  return rows.length === 0 ? [] : [facts('What the model did', rows)]
}

const toolName = ({ name, offered }: Decision['tools'][number]): string => {
  const shown = name === '*' || name === '?' ? 'a name not shown' : name
  return offered ? shown : `${shown} (not offered)`
}

const policySaid = (decision: Decision): readonly Fact[] => {
  const { policy, reasons, trace, decisions } = decision
  return [
    ['Revision', policy.revision === '' ? 'was not asked' : h('code', {}, visible(policy.revision))],
    ...(policy.engine === '' ? [] : [['Engine', visible(policy.engine)] satisfies Fact]),
    ...decisions.map((one): Fact => [STAGES[one.stage], ...answer(one)]),
    ['Reasons', reasons.length === 0 ? 'none' : codes(reasons)],
    ...(trace === '' ? [] : [['Trace', h('code', {}, visible(trace))] satisfies Fact]),
  ]
}

const STAGES: Readonly<Record<Answered['stage'], string>> = {
  request: 'Of the prompt',
  response: 'Of the answer',
  tool_call: 'Of a tool call',
  model: 'Of the model list',
}

const answer = ({ allow, reasons, times, maxTokens, model, toolsRemoved }: Answered): readonly Tree[] => {
  const duties = [
    ...(maxTokens === undefined ? [] : [`at most ${maxTokens} tokens`]),
    ...(model === undefined ? [] : [`answered by ${visible(model)} instead`]),
    ...(toolsRemoved === 0 ? [] : [`${toolsRemoved} tools taken out`]),
  ]
  const said = [allow ? 'Allowed' : 'Denied', ...(times > 1 ? [`${times} times`] : []), ...duties].join(', ')
  return reasons.length === 0 ? [said] : [`${said}: `, codes(reasons)]
}

const codes = (list: readonly string[]): Tree =>
  h('ul', { class: 'codes' }, ...list.map((code) => h('li', {}, h('code', {}, foreign(code)))))

const clientSaw = (decision: Decision): readonly Fact[] => {
  const code = codeOf(decision)
  const { outcome, status } = decision
  return [
    ['Status', status === 0 ? 'none' : String(status)],
    ['Outcome', outcomes[outcome].means],
    ...(code !== undefined && outcome !== 'client_gone'
      ? [
          ['Error code', h('code', {}, code)] satisfies Fact,
          ['Message', refusals[code].message] satisfies Fact,
          ['Worth trying again', refusals[code].retry ? 'yes' : 'no'] satisfies Fact,
        ]
      : []),
  ]
}

const HEADINGS = ['Rule', 'In', 'Place', 'Characters', 'Score', 'Evidence', 'Done', 'By']

const ROWS: Readonly<Record<Place['by'], string>> = {
  rule: 'the policy for this rule',
  category: 'the policy for its category',
  default: 'the default of the policy',
  denied: 'the denial of the whole',
}

const found = ({ findings, omitted }: Decision): Tree =>
  h(
    'section',
    { 'aria-labelledby': 'found-h' },
    h('h2', { id: 'found-h' }, 'What was found'),
    findings.length === 0
      ? h('p', {}, 'Nothing.')
      : h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'What was found' },
          h(
            'table',
            {},
            h('caption', { class: 'unseen' }, 'Findings of this decision'),
            h('thead', {}, h('tr', {}, ...HEADINGS.map((name) => h('th', { scope: 'col' }, name)))),
            h('tbody', {}, ...findings.map(foundRow)),
          ),
        ),
    ...(omitted > 0 ? [h('p', {}, `And ${omitted} more, which are in the audit log.`)] : []),
  )

const foundRow = (found: Place): Tree =>
  h(
    'tr',
    {},
    h('th', { scope: 'row' }, foreign(found.rule)),
    h('td', {}, found.direction === 'request' ? 'prompt' : 'answer'),
    h('td', { class: 'wrap' }, h('code', {}, foreign(found.path))),
    h('td', {}, `${found.start} to ${found.end}`),
    h(
      'td',
      {},
      found.score.toFixed(2),
      found.threshold === undefined ? '' : ` at ${found.threshold.toFixed(2)}`,
    ),
    h('td', { class: 'wrap' }, foreign(found.evidence.join(', '))),
    h('td', {}, doneAbout[found.action]),
    h('td', { class: 'wrap' }, ROWS[found.by]),
  )

/** What would have had to be different; what the model would have said then, nobody knows. */
const otherwise = (decision: Decision): readonly Tree[] => {
  const acted = decision.findings.filter(
    ({ action, by }) => by !== 'denied' && (action === 'block' || action === 'redact'),
  )
  const rules = [...new Set(acted.map(({ rule }) => rule))]
  const denials = [
    ...new Set(decision.decisions.filter(({ allow }) => !allow).flatMap(({ reasons }) => reasons)),
  ]
  const says: readonly Tree[] = [
    ...(denials.length === 0 ? [] : [h('li', {}, 'The policy not denying it for ', codes(denials))]),
    ...(rules.length === 0
      ? []
      : [h('li', {}, 'Nothing found by, or another action in the policy for ', codes(rules))]),
  ]
  if (says.length === 0) return []
  return [
    h(
      'section',
      {},
      h('h2', {}, 'What would have let it pass unchanged'),
      h('ul', { class: 'needs' }, ...says),
    ),
  ]
}

const TIMES: Readonly<Record<string, string>> = {
  guard: 'Until the model was called',
  scan_request: 'of it, inspecting the prompt',
  model: 'The model, until its answer was there',
  first_text: 'Until the first text was sent',
  scan_response: 'Inspecting the answer',
  total: 'All together',
}

const timings = ({ timings: times }: Decision): Tree =>
  h(
    'section',
    { 'aria-labelledby': 'times-h' },
    h('h2', { id: 'times-h' }, 'How long it took'),
    Object.keys(times).length === 0
      ? h('p', {}, 'Not measured: it never reached the pipeline.')
      : h(
          'table',
          { class: 'narrow' },
          h('caption', { class: 'unseen' }, 'How long it took'),
          h(
            'thead',
            {},
            h('tr', {}, h('th', { scope: 'col' }, 'Part'), h('th', { scope: 'col', class: 'number' }, 'ms')),
          ),
          h('tbody', {}, ...ordered(times).map(([name, ms]) => timeRow(name, ms))),
        ),
  )

const ordered = (times: Decision['timings']): readonly (readonly [string, number])[] => {
  const order = Object.keys(TIMES)
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length - 1.5)
  return Object.entries(times).sort(([a], [b]) => rank(a) - rank(b))
}

const timeRow = (name: string, ms: number): Tree =>
  h(
    'tr',
    {},
    h('th', { scope: 'row' }, TIMES[name] ?? visible(name)),
    h('td', { class: 'number' }, ms.toFixed(2)),
  )

/** No decision, or several, for what was searched. */
export const notOne = (id: string, matches: readonly Decision[]): Page => ({
  title: 'Find a decision',
  here: '/ui/decisions',
  main: [
    h('h1', {}, 'Find a decision'),
    h(
      'p',
      { role: 'status' },
      matches.length === 0
        ? 'The guard does not remember a decision with this id. It may be older, or of another guard: look in the audit log.'
        : 'Several decisions begin so.',
    ),
    h('div', { class: 'forms' }, searchForm(id)),
    ...(matches.length === 0
      ? []
      : [
          decisionTable(
            matches.map((one) => decisionRow(one, addedMs(one))),
            { id: 'matches', caption: 'Decisions found' },
          ),
        ]),
  ],
})
