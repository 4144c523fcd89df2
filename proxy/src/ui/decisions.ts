import type { Outcome } from './decision.ts'
import { addedMs } from './hour.ts'
import type { DecisionRing, Filter } from './ring.ts'
import { liveBar, type Page } from './shell.ts'
import type { Shown } from './state.ts'
import { h, visible, type Tree } from './tree.ts'
import { decisionRow, decisionTable, outcomeNames, outcomes } from './words.ts'

/** Rows of the page; the script keeps as many. */
const ROWS = 100
const MAX_CHOICES = 100
const MAX_VALUE = 256

export const decisionsPage = ({ decisions }: Shown, filter: Filter): Page => {
  const found = decisions.recent({ filter, limit: ROWS })
  const query = queryOf(filter)
  const caption = query === '' ? 'Decisions, newest first' : 'Decisions that fit, newest first'
  return {
    title: 'Decisions',
    here: '/ui/decisions',
    live: `view=decisions&after=${decisions.count}${query === '' ? '' : `&${query}`}`,
    main: [
      h('div', { class: 'head' }, h('h1', {}, 'Decisions'), liveBar()),
      h('div', { class: 'forms' }, filterForm(decisions, filter), searchForm('')),
      decisionTable(
        found.map((one) => decisionRow(one, addedMs(one))),
        { id: 'rows', caption },
      ),
      h(
        'p',
        { class: 'summary' },
        `${found.length === 0 ? 'No decision fits. ' : ''}The guard remembers the last ${decisions.size} decisions since it started. Older ones are in the audit log.`,
      ),
    ],
  }
}

/** From the query of a URL. An outcome that does not exist is no filter. */
export const filterOf = (query: URLSearchParams): Filter => {
  const value = (name: string): string | undefined => {
    const given = query.get(name)?.trim().slice(0, MAX_VALUE)
    return given === '' ? undefined : given
  }
  return {
    outcome: outcomeNames.find((name) => name === value('outcome')),
    rule: value('rule'),
    caller: value('caller'),
  }
}

const queryOf = (filter: Filter): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filter as Record<string, string | undefined>))
    if (value !== undefined) query.set(name, value)
  return query.toString()
}

const filterForm = (ring: DecisionRing, { outcome, rule, caller }: Filter): Tree => {
  const { rules, callers } = choices(ring)
  const known = rule === undefined || rules.includes(rule) ? rules : [rule, ...rules]
  return h(
    'form',
    { method: 'get', action: '/ui/decisions', role: 'search', 'aria-label': 'Filter decisions' },
    h(
      'p',
      {},
      h('label', { for: 'outcome' }, 'Outcome'),
      h(
        'select',
        { id: 'outcome', name: 'outcome' },
        choice('', { label: 'Any', chosen: outcome ?? '' }),
        ...outcomeNames.map((name: Outcome) =>
          choice(name, { label: outcomes[name].name, chosen: outcome ?? '' }),
        ),
      ),
    ),
    h(
      'p',
      {},
      h('label', { for: 'rule' }, 'Rule'),
      h(
        'select',
        { id: 'rule', name: 'rule' },
        choice('', { label: 'Any', chosen: rule ?? '' }),
        ...known.map((name) => choice(name, { label: name, chosen: rule ?? '' })),
      ),
    ),
    h(
      'p',
      {},
      h('label', { for: 'caller' }, 'Caller or tenant'),
      h('input', {
        id: 'caller',
        name: 'caller',
        list: 'callers',
        value: caller ?? '',
        maxlength: MAX_VALUE,
      }),
      h('datalist', { id: 'callers' }, ...callers.map((name) => h('option', { value: name }))),
    ),
    h('p', {}, h('button', { type: 'submit' }, 'Filter'), h('a', { href: '/ui/decisions' }, 'Clear')),
  )
}

const choice = (value: string, { label, chosen }: { label: string; chosen: string }): Tree =>
  h('option', { value, ...(value === chosen && { selected: '' }) }, visible(label))

/** What of the remembered decisions can be chosen. */
const choices = (ring: DecisionRing) => {
  const rules = new Set<string>()
  const callers = new Set<string>()
  for (const { findings, caller } of ring.recent({ limit: 1000 })) {
    for (const { rule } of findings) if (rules.size < MAX_CHOICES) rules.add(rule)
    if (caller && callers.size < MAX_CHOICES) callers.add(caller.subject)
  }
  return { rules: [...rules].sort(), callers: [...callers].sort() }
}

export const searchForm = (id: string): Tree =>
  h(
    'form',
    { method: 'get', action: '/ui/find', role: 'search', 'aria-label': 'Find a decision' },
    h(
      'p',
      {},
      h('label', { for: 'id' }, 'Decision id (x-request-id), or its beginning'),
      h('input', {
        id: 'id',
        name: 'id',
        value: id,
        required: '',
        maxlength: 64,
        autocomplete: 'off',
        spellcheck: 'false',
      }),
    ),
    h('p', {}, h('button', { type: 'submit' }, 'Find')),
  )
