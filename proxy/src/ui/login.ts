import type { IncomingMessage } from 'node:http'
import type { Log } from '../core/log.ts'
import { readBounded } from '../core/read-bounded.ts'
import { Refusal } from '../core/refusal.ts'
import { redirect, type Exchange } from './reply.ts'
import type { Sessions } from './sessions.ts'

export interface PageAuth {
  /** Takes the same time whatever the answer. */
  readonly isPassword: (password: string) => Promise<boolean>
  /** Slows guessing down, by address of the peer. `attempt` throws Refusal `rate_limited`. */
  readonly throttle: { attempt(name: string): void; succeeded(name: string): void }
  /** Whether browsers reach the page over TLS that ends before the guard; then the cookie travels over TLS only. */
  readonly secureCookie: boolean
}

export interface Login {
  isOpen(request: IncomingMessage): boolean
  /** `POST /ui/login`. What to tell a person who may not come in; undefined when answered. */
  enter(exchange: Exchange): Promise<Denied | undefined>
  /** `POST /ui/logout` */
  leave(exchange: Exchange): void
}

export interface Denied {
  readonly status: number
  readonly problem: string
  readonly next: string
  readonly headers?: Readonly<Record<string, string>>
}

interface LoginOptions {
  readonly auth: PageAuth
  readonly sessions: Sessions
  readonly log: Log
}

const MAX_FORM = 8192
/** Password checks at once, waiting ones included: each takes a quarter of a second of a core that the guard needs too. */
const MAX_WAITING = 4

export const login = ({ auth, sessions, log }: LoginOptions): Login => {
  const name = auth.secureCookie ? '__Host-postern-ui' : 'postern-ui'
  const attributes = auth.secureCookie ? 'Path=/; Secure' : 'Path=/ui'
  const setCookie = (value: string, age = ''): Readonly<Record<string, string>> => ({
    'set-cookie': `${name}=${value}; ${attributes}; HttpOnly; SameSite=Strict${age}`,
  })
  const isPassword = oneAtATime(auth.isPassword)
  return {
    isOpen: (request) => sessions.isOpen(cookieOf(request, name)),
    enter: async (exchange) => {
      const { request } = exchange
      const form = await readForm(request)
      if (form === undefined) return { status: 400, problem: 'The form could not be read.', next: '/ui' }
      const next = ownPath(form.get('next'))
      const address = request.socket.remoteAddress ?? ''
      try {
        auth.throttle.attempt(address)
        if (!(await isPassword(form.get('password') ?? ''))) {
          log.warn('ui_login_refused', { address })
          return { status: 403, problem: 'This is not the password.', next }
        }
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'rate_limited') throw error
        log.warn('ui_login_throttled', { address })
        const headers = { 'retry-after': error.headers['retry-after'] ?? '1' }
        return { status: 429, problem: 'Too many attempts. Wait a little, then try again.', next, headers }
      }
      auth.throttle.succeeded(address)
      // Never the session that the browser came with: somebody else may have given it that one.
      sessions.close(cookieOf(request, name))
      log.info('ui_login', { address })
      redirect(exchange, next, setCookie(sessions.open()))
      return undefined
    },
    leave: (exchange) => {
      sessions.close(cookieOf(exchange.request, name))
      redirect(exchange, '/ui/login', setCookie('', '; Max-Age=0'))
    },
  }
}

/** A path of the page that a person may be sent to; the overview instead of anything else. */
export const ownPath = (path: string | null): string =>
  path !== null &&
  /^\/ui(?:\/(?:decisions|coverage|health)(?:\/[\w-]{1,64})?)?(?:\?[\w.=&%+-]{0,512})?$/.test(path)
    ? path
    : '/ui'

/** Browsers say where a form comes from. One from another site changes nothing here. */
export const isOwnForm = ({ headers }: IncomingMessage): boolean => {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  if (headers.origin === undefined) return true
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host
}

const cookieOf = ({ headers }: IncomingMessage, name: string): string | undefined => {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  // Two of one name: one of them is not ours.
  return values.length === 1 ? values[0]?.slice(name.length + 1) : undefined
}

/** Undefined for what is no form, or too large a one. */
export const readForm = async (request: IncomingMessage): Promise<URLSearchParams | undefined> => {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return undefined
  const form = await readBounded(request, MAX_FORM)
  return form && new URLSearchParams(form.toString('utf8'))
}

const oneAtATime = (check: (password: string) => Promise<boolean>) => {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return async (password: string): Promise<boolean> => {
    if (waiting >= MAX_WAITING) throw new Refusal('rate_limited', { headers: { 'retry-after': '2' } })
    waiting += 1
    const mine = last.then(() => check(password)).finally(() => (waiting -= 1))
    last = mine.catch(() => undefined)
    return mine
  }
}
