import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../core/log.ts'
import { readAssets, type Asset } from './assets.ts'
import { coveragePage } from './coverage.ts'
import { decisionsPage, filterOf } from './decisions.ts'
import { explained, notOne } from './explain.ts'
import { healthPage } from './health.ts'
import { newsSource } from './live.ts'
import { judgements, type Judgements } from './judgements.ts'
import { isOwnForm, login, ownPath, type Login, type PageAuth } from './login.ts'
import { loginPage, offPage, simplePage, type LoginView } from './login-page.ts'
import { overview } from './overview.ts'
import { redirect, send, sendJson, type Exchange } from './reply.ts'
import { sessions } from './sessions.ts'
import { page, type Frame, type Page } from './shell.ts'
import type { Shown } from './state.ts'
import { afterOf, streams, type Streams } from './streams.ts'
import { decisionUrl } from './words.ts'

export interface UiOptions extends Shown {
  /** Undefined: the page only says how to switch it on. */
  readonly auth: PageAuth | undefined
  /** What to do to switch it on, line by line. */
  readonly howToSwitchOn: readonly string[]
  readonly log: Log
}

export interface Ui {
  /** Answers every request whose path is `/ui` or below it. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Ends the live streams. */
  close(): void
}

/** The page for people. Only login, logout and what a person says of a decision change anything. Throws when the installation lacks a file of it. */
export const uiPages = (options: UiOptions): Ui => {
  const assets = readAssets()
  const source = newsSource(options)
  const site: Site = {
    options,
    assets: new Map(Object.values(assets).map((asset: Asset) => [asset.url, asset])),
    judgements: judgements(options),
    links: { style: assets.style.url, script: assets.script.url, icon: assets.icon.url },
    door: options.auth && login({ auth: options.auth, sessions: sessions(), log: options.log }),
    streams: streams({ source }),
    news: (query, after) => source.news(query, after),
  }
  return {
    handle: async (request, response) => {
      const exchange = { request, response }
      try {
        await route(exchange, site)
      } catch (cause) {
        options.log.error('ui_failed', { cause: cause instanceof Error ? cause : new Error(String(cause)) })
        if (response.headersSent) response.destroy()
        else show(exchange, site, { page: simplePage('Something failed', 'The log says what.'), status: 500 })
      }
    },
    close: () => site.streams.close(),
  }
}

interface Site {
  readonly options: UiOptions
  readonly assets: ReadonlyMap<string, Asset>
  readonly links: Frame['assets']
  readonly door: Login | undefined
  readonly judgements: Judgements
  readonly streams: Streams
  readonly news: ReturnType<typeof newsSource>['news']
}

interface View {
  readonly page: Page
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** With the navigation and what the guard says of itself. */
  readonly inside?: boolean
}

const show = (exchange: Exchange, { options, links }: Site, view: View): void => {
  const { page: what, status = 200, headers = {}, inside = false } = view
  const body = page(what, { assets: links, state: inside ? options.state() : undefined })
  send(exchange, { status, headers, body })
}

const route = async (exchange: Exchange, site: Site): Promise<void> => {
  const { request } = exchange
  const url = new URL(request.url ?? '/', 'http://page')
  const asset = site.assets.get(url.pathname)
  if (asset && isRead(request)) {
    const { body, contentType } = asset
    send(exchange, { body, contentType, headers: { 'cache-control': 'max-age=31536000, immutable' } })
    return
  }
  const { door } = site
  if (door === undefined) {
    show(exchange, site, { page: offPage(site.options.howToSwitchOn), status: 404 })
    return
  }
  if (request.method === 'POST') await post(exchange, { url, site, door })
  else if (!isRead(request)) plain(exchange, 405, 'use GET')
  else if (url.pathname === '/ui/login') show(exchange, site, { page: loginPage(viewOf(exchange, url)) })
  else if (!door.isOpen(request)) askToSignIn(exchange, url)
  else inside(exchange, url, { ...site, door })
}

const isRead = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD'

const plain = (exchange: Exchange, status: number, body: string): void =>
  send(exchange, { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` })

interface Posted {
  readonly url: URL
  readonly site: Site
  readonly door: Login
}

const post = async (exchange: Exchange, { url, site, door }: Posted): Promise<void> => {
  if (!isOwnForm(exchange.request)) {
    plain(exchange, 403, 'this form is not ours')
  } else if (url.pathname === '/ui/logout') {
    door.leave(exchange)
  } else if (url.pathname === '/ui/login') {
    const denied = await door.enter(exchange)
    if (denied)
      show(exchange, site, { page: loginPage(denied), status: denied.status, headers: denied.headers ?? {} })
  } else if (!door.isOpen(exchange.request)) plain(exchange, 401, 'sign in first')
  else {
    const id = /^\/ui\/decisions\/([\w-]{1,64})\/judge$/.exec(url.pathname)?.[1]
    if (id === undefined) plain(exchange, 405, 'use GET')
    else await site.judgements.take(exchange, id)
  }
}

const viewOf = ({ request }: Exchange, url: URL): LoginView => ({
  next: ownPath(url.searchParams.get('next')),
  fromElsewhere: request.headers['sec-fetch-site'] === 'cross-site',
})

const DATA: ReadonlySet<string> = new Set(['/ui/events', '/ui/live'])

const askToSignIn = (exchange: Exchange, { pathname, search }: URL): void => {
  if (DATA.has(pathname)) sendJson(exchange, 401, { error: 'sign in first' })
  else redirect(exchange, `/ui/login?next=${encodeURIComponent(ownPath(`${pathname}${search}`))}`)
}

const inside = (exchange: Exchange, url: URL, site: Site & { readonly door: Login }): void => {
  const { pathname, searchParams } = url
  if (pathname === '/ui/events')
    site.streams.open(exchange, searchParams, () => site.door.isOpen(exchange.request))
  else if (pathname === '/ui/live')
    sendJson(exchange, 200, site.news(searchParams, afterOf(exchange, searchParams)))
  else if (pathname === '/ui/find') find(exchange, searchParams.get('id') ?? '', site)
  else show(exchange, site, { inside: true, ...(pageAt(url, site) ?? NOWHERE) })
}

const NOWHERE: View = { page: simplePage('Not found', 'There is no such page.'), status: 404 }

const pageAt = ({ pathname, searchParams }: URL, site: Site): View | undefined => {
  const shown = site.options
  switch (pathname) {
    case '/ui':
    case '/ui/':
      return { page: overview(shown, searchParams.get('span') === 'minutes' ? 'minutes' : 'hour') }
    case '/ui/decisions':
      return { page: decisionsPage(shown, filterOf(searchParams)) }
    case '/ui/coverage':
      return { page: coveragePage(shown.coverage(), searchParams.get('route') ?? undefined) }
    case '/ui/health':
      return { page: healthPage(shown) }
    default: {
      const id = /^\/ui\/decisions\/([\w-]{1,64})$/.exec(pathname)?.[1]
      if (id === undefined) return undefined
      const decision = shown.decisions.find(id).find((one) => one.id === id)
      if (decision === undefined) return { page: notOne(id, []), status: 404 }
      const page = explained(decision)
      return { page: { ...page, main: [...page.main, ...site.judgements.asked(decision)] } }
    }
  }
}

const find = (exchange: Exchange, given: string, site: Site): void => {
  const id = given.trim().slice(0, 64)
  const matches = id === '' ? [] : site.options.decisions.find(id)
  const [first] = matches
  if (first && matches.length === 1) redirect(exchange, decisionUrl(first))
  else show(exchange, site, { inside: true, page: notOne(id, matches) })
}
