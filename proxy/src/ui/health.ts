import type { Revision } from './ring.ts'
import { liveBar, type Page } from './shell.ts'
import type { GuardState, Part, Shown } from './state.ts'
import { foreign, h, visible, type Tree } from './tree.ts'

export const healthPage = (shown: Shown): Page => ({
  title: 'Health',
  here: '/ui/health',
  live: 'view=health',
  main: [h('div', { class: 'head' }, h('h1', {}, 'Health'), liveBar()), healthPart(shown)],
})

/** Everything that can keep traffic away, and the policy in force. */
export const healthPart = ({ state, decisions }: Shown): Tree => {
  const now = state()
  return h(
    'div',
    { id: 'health' },
    readiness(now),
    ...areas(now.parts).map(([area, parts]) => areaTable(area, parts)),
    policy(now, decisions.revisions()),
  )
}

const readiness = ({ ready }: GuardState): Tree =>
  h(
    'section',
    { 'aria-labelledby': 'readiness-h' },
    h('h2', { id: 'readiness-h' }, 'Readiness'),
    ready.length === 0
      ? h('p', {}, mark('good'), ' The guard takes traffic.')
      : h('p', {}, mark('bad'), ' The guard asks for no traffic, because:'),
    ...(ready.length === 0 ? [] : [h('ul', {}, ...ready.map((why) => h('li', {}, foreign(why))))]),
  )

const areas = (parts: readonly Part[]): readonly (readonly [string, readonly Part[]])[] => {
  const found = new Map<string, Part[]>()
  for (const part of parts) found.set(part.area, [...(found.get(part.area) ?? []), part])
  return [...found]
}

const areaTable = (area: string, parts: readonly Part[]): Tree =>
  h(
    'section',
    {},
    h('h2', {}, visible(area)),
    scrolled(
      visible(area),
      h(
        'table',
        { class: 'parts' },
        h('caption', { class: 'unseen' }, visible(area)),
        h(
          'thead',
          {},
          h('tr', {}, ...['Name', 'State', 'What it says'].map((name) => h('th', { scope: 'col' }, name))),
        ),
        h(
          'tbody',
          {},
          ...parts.map(({ name, state, says }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row', class: 'wrap' }, foreign(name)),
              h('td', {}, mark(state)),
              h('td', { class: 'wrap' }, foreign(says)),
            ),
          ),
        ),
      ),
    ),
  )

const MARKS = { good: 'Good', warning: 'Attention', bad: 'Bad' } as const

const mark = (state: Part['state']): Tree => h('span', { class: `mark ${state}` }, MARKS[state])

const policy = ({ policy: { engine, revision, since } }: GuardState, revisions: readonly Revision[]): Tree =>
  h(
    'section',
    { 'aria-labelledby': 'policy-h' },
    h('h2', { id: 'policy-h' }, 'Policy'),
    h(
      'dl',
      { class: 'facts' },
      fact('Engine', foreign(engine)),
      fact('Revision in force', revision === '' ? 'none yet' : h('code', {}, visible(revision))),
      fact('Since', since === undefined ? 'not known' : moment(new Date(since).toISOString())),
    ),
    h('h3', {}, 'Revisions that traffic met'),
    revisions.length === 0
      ? h('p', {}, 'None yet.')
      : scrolled(
          'Revisions that traffic met',
          h(
            'table',
            {},
            h('caption', { class: 'unseen' }, 'Revisions that traffic met, newest first'),
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                ...['First decision, UTC', 'Revision'].map((name) => h('th', { scope: 'col' }, name)),
              ),
            ),
            h(
              'tbody',
              {},
              ...revisions.map((one) =>
                h(
                  'tr',
                  {},
                  h('th', { scope: 'row' }, moment(one.since)),
                  h('td', { class: 'wrap' }, h('code', {}, visible(one.revision))),
                ),
              ),
            ),
          ),
        ),
  )

const fact = (name: string, value: Tree): Tree => h('div', {}, h('dt', {}, name), h('dd', {}, value))

const moment = (time: string): Tree =>
  h('time', { datetime: visible(time) }, visible(time.slice(0, 19).replace('T', ' ')))

const scrolled = (label: string, table: Tree): Tree =>
  h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, table)
