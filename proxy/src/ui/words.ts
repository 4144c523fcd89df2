import type { Decision, Outcome, Place } from './decision.ts'
import { foreign, h, visible, type Tree } from './tree.ts'

/** How an outcome is called, and what it means for the client. */
export const outcomes = {
  allowed: {
    name: 'Allowed',
    colour: 'c1',
    means: 'The model answered, and the client got the answer as it was.',
  },
  redacted: {
    name: 'Redacted',
    colour: 'c2',
    means: 'The exchange went through, with findings replaced by marks or tools taken out.',
  },
  cut: {
    name: 'Cut',
    colour: 'c3',
    means: 'The client got a part of the answer; then the answer was ended, and looks ended.',
  },
  refused: { name: 'Refused', colour: 'c4', means: 'The client got an error instead of an answer.' },
  failed: {
    name: 'Failed',
    colour: 'c5',
    means: 'The guard or the model server could not do its work, so the client got an error.',
  },
  client_gone: {
    name: 'Client left',
    colour: 'c6',
    means: 'The client closed the connection before the answer was complete.',
  },
} as const satisfies Record<Outcome, { name: string; colour: string; means: string }>

export const outcomeNames = Object.keys(outcomes) as readonly Outcome[]

/** A word with a colour, never a colour alone. */
export const badge = (outcome: Outcome): Tree =>
  h('span', { class: `badge ${outcomes[outcome].colour}` }, outcomes[outcome].name)

export const decisionUrl = ({ id }: Pick<Decision, 'id'>): string => `/ui/decisions/${encodeURIComponent(id)}`

const COLUMNS = ['Time, UTC', 'Outcome', 'Caller', 'Route', 'Model', 'Why', 'Added, ms']

/** Decisions, newest first. Rows that come later are put on top. */
export const decisionTable = (
  rows: readonly Tree[],
  { id, caption }: { id: string; caption: string },
): Tree =>
  h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      { class: 'decisions' },
      h('caption', { class: 'unseen' }, caption),
      h('thead', {}, h('tr', {}, ...COLUMNS.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', { id }, ...rows),
    ),
  )

export const decisionRow = (decision: Decision, added: number | undefined): Tree => {
  const { time, outcome, caller, route, model } = decision
  return h(
    'tr',
    {},
    h(
      'th',
      { scope: 'row' },
      h('a', { href: decisionUrl(decision) }, h('time', { datetime: visible(time) }, shortTime(time))),
    ),
    h('td', {}, badge(outcome)),
    h('td', { class: 'wrap' }, caller ? foreign(caller.subject) : h('span', { class: 'quiet' }, 'unknown')),
    h('td', {}, foreign(route === '' ? '–' : route)),
    h('td', { class: 'wrap' }, foreign(model === '' ? '–' : model)),
    h('td', { class: 'wrap' }, foreign(briefly(decision))),
    h('td', { class: 'number' }, added === undefined ? '–' : added.toFixed(added < 10 ? 1 : 0)),
  )
}

const shortTime = (time: string): string => visible(time.slice(11, 23))

/** Reasons, then what was found and what became of it. */
const briefly = ({ reasons, findings, omitted }: Decision): string => {
  const found = new Map<string, number>()
  for (const { rule, action } of findings) {
    const key = `${rule} ${doneAbout[action]}`
    found.set(key, (found.get(key) ?? 0) + 1)
  }
  const places = [...found].map(([key, count]) => (count > 1 ? `${key} ×${count}` : key))
  const said = [...reasons, ...places].slice(0, 4)
  const more = reasons.length + places.length - said.length + omitted
  return `${said.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** What an action did, in the past. */
export const doneAbout: Readonly<Record<Place['action'], string>> = {
  ignore: 'ignored',
  observe: 'noted',
  redact: 'replaced',
  block: 'blocked',
}
