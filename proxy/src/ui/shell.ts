import { h, html, visible, type Tree } from './tree.ts'
import type { GuardState } from './state.ts'

export interface Page {
  readonly title: string
  /** The entry of the navigation that is this page. */
  readonly here: string
  readonly main: readonly Tree[]
  /** Query of the live stream; undefined for a page that does not change. */
  readonly live?: string | undefined
}

export interface Frame {
  readonly assets: { readonly style: string; readonly script: string; readonly icon: string }
  /** Undefined before login. */
  readonly state: GuardState | undefined
}

const NAVIGATION = [
  ['/ui', 'Overview'],
  ['/ui/decisions', 'Decisions'],
  ['/ui/coverage', 'Coverage'],
  ['/ui/health', 'Health'],
] as const

/** The whole document. Without the script it is the same, but stands still. */
export const page = ({ title, here, main, live }: Page, { assets, state }: Frame): string =>
  `<!doctype html>\n${html(
    h(
      'html',
      { lang: 'en' },
      h(
        'head',
        {},
        h('meta', { charset: 'utf-8' }),
        h('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
        h('meta', { name: 'color-scheme', content: 'light dark' }),
        h('title', {}, `${visible(title)} · Postern`),
        h('link', { rel: 'icon', href: assets.icon, type: 'image/svg+xml' }),
        h('link', { rel: 'stylesheet', href: assets.style }),
        h('script', { src: assets.script, type: 'module' }),
      ),
      h(
        'body',
        live === undefined ? {} : { 'data-live': live },
        h('a', { class: 'skip', href: '#main' }, 'Skip to content'),
        ...(state ? [top(here, state)] : []),
        h('main', { id: 'main', tabindex: -1 }, ...main),
        ...(state ? [bottom(state)] : []),
      ),
    ),
  )}`

const top = (here: string, state: GuardState): Tree =>
  h(
    'header',
    { class: 'top' },
    h('a', { class: 'brand', href: '/ui' }, 'Postern'),
    h(
      'nav',
      { 'aria-label': 'Pages' },
      h(
        'ul',
        {},
        ...NAVIGATION.map(([href, name]) =>
          h('li', {}, h('a', { href, ...(href === here && { 'aria-current': 'page' }) }, name)),
        ),
      ),
    ),
    readyPart(state),
    h(
      'form',
      { method: 'post', action: '/ui/logout' },
      h('button', { type: 'submit', class: 'plain' }, 'Sign out'),
    ),
  )

/** Whether traffic may come, on every page. */
export const readyPart = ({ ready }: GuardState): Tree =>
  h(
    'p',
    { id: 'ready', class: ready.length === 0 ? 'ready good' : 'ready bad' },
    ready.length === 0 ? 'Ready' : 'Not ready: ',
    ...(ready.length === 0 ? [] : [h('a', { href: '/ui/health' }, visible(ready[0] ?? ''))]),
  )

const bottom = ({ version, policy, startedAt }: GuardState): Tree =>
  h(
    'footer',
    {},
    h(
      'p',
      {},
      `Postern ${visible(version)}, up since ${new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC. Policy `,
      h('code', {}, shortRevision(policy.revision)),
      '. Prompts and answers are never kept here.',
    ),
  )

export const shortRevision = (revision: string): string =>
  revision === '' ? 'none yet' : visible(revision.length > 24 ? `${revision.slice(0, 20)}…` : revision)

/** What the script turns into a live page: where it says how it is doing, and the switch that stops it. */
export const liveBar = (): Tree =>
  h(
    'div',
    { class: 'live' },
    h('p', { id: 'live', role: 'status' }, ''),
    h('button', { id: 'pause', type: 'button', 'aria-pressed': 'false', hidden: '' }, 'Pause'),
    h('noscript', {}, h('p', {}, 'Without JavaScript this page stands still: load it again for news.')),
  )
