import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Refusal } from '../../core/refusal.ts'
import { noLog } from '../../core/log.ts'
import { uiPages, type Ui, type UiOptions } from '../pages.ts'
import { watchDecisions, type Watch } from '../seen.ts'
import { coverage, state } from './samples.ts'

export const PASSWORD = 'correct horse battery staple'

export interface StartedUi {
  readonly url: string
  readonly port: number
  readonly watch: Watch
  readonly ui: Ui
  /** With a session: its cookie. */
  login(): Promise<string>
  close(): Promise<void>
}

/** The pages on a real socket, with sample data and a password that is cheap to check. */
export const startUi = async (
  more: Partial<UiOptions> & { readonly size?: number } = {},
): Promise<StartedUi> => {
  const watch = watchDecisions({ size: more.size ?? 100, plainPath: (path) => path })
  const ui = uiPages({
    decisions: watch.decisions,
    hour: watch.hour,
    state,
    coverage: () => coverage,
    auth: auth(),
    howToSwitchOn: ['postern token password', 'admin: { ui: { passwordFile: FILE } }'],
    log: noLog,
    ...more,
  })
  const server = createServer((request, response) => void ui.handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return { url, port, watch, ui, login: () => signIn(url), close: () => close(server, ui) }
}

export const auth = (): NonNullable<UiOptions['auth']> => {
  let wrong = 0
  return {
    isPassword: (password) => Promise.resolve(password === PASSWORD),
    throttle: {
      attempt: () => {
        if (++wrong > 5) throw new Refusal('rate_limited', { headers: { 'retry-after': '7' } })
      },
      succeeded: () => (wrong = 0),
    },
    secureCookie: false,
  }
}

export const signIn = async (url: string, password = PASSWORD): Promise<string> => {
  const answer = await fetch(`${url}/ui/login`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ password, next: '/ui' }),
  })
  return answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
}

const close = (server: Server, ui: Ui): Promise<void> => {
  ui.close()
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
