import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEMO_KEY } from '../../demo/script.ts'
import { startTestGuard, type RoleName, type TestGuard } from '../start.ts'

/** What must not get through, and its two halves. */
export const SECRET = DEMO_KEY
export const HALVES = [SECRET.slice(0, 9), SECRET.slice(9)] as const

/** How the model server answers a request whose body was read. */
export type Behaviour = (response: ServerResponse) => void

export interface Attacked extends TestGuard {
  /** From now on the model server answers so. */
  readonly behave: (behaviour: Behaviour) => void
  /** Bodies that reached the model server, as text, oldest first. */
  readonly arrived: readonly string[]
  readonly post: (body: unknown, more?: PostOptions) => Promise<Response>
  /** Sends bytes as they are; resolves with all that came back, when the guard closes or `quietMs` after the last byte. */
  readonly raw: (bytes: string | Buffer, quietMs?: number) => Promise<string>
}

export interface PostOptions {
  readonly path?: string
  readonly role?: RoleName | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface AttackOptions {
  readonly config?: object
  /** Limits of every role in the policy data, or the built-in ones; none when absent, so that a hundred attacks fit into a second. */
  readonly limits?: object | 'built-in'
}

/** The whole guard on real sockets in front of a model server that does whatever the test says. */
export const startAttacked = async ({ config, limits = {} }: AttackOptions = {}): Promise<Attacked> => {
  let answer: Behaviour = (response) => void response.end()
  const arrived: string[] = []
  const upstream = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.once('end', () => {
      arrived.push(Buffer.concat(pieces).toString())
      answer(response)
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'postern-attack-'))
  const guard = await startTestGuard({
    upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    config: {
      ...(limits === 'built-in' ? {} : { policy: { dataFile: limited(folder, limits) } }),
      ...config,
    },
  })
  const post: Attacked['post'] = (
    body,
    { path = '/v1/chat/completions', role = 'developer', ...more } = {},
  ) =>
    fetch(guard.url + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...more,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${guard.keys[role]}`,
        ...more.headers,
      },
    })
  return {
    ...guard,
    arrived,
    behave: (behaviour) => void (answer = behaviour),
    post,
    raw: (bytes, quietMs) => exchange(Number(new URL(guard.url).port), bytes, quietMs),
    close: async () => {
      upstream.closeAllConnections()
      await guard.close()
      await new Promise((resolve) => upstream.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The built-in policy data with other limits. */
const limited = (folder: string, ofRoles: object): string => {
  const file = join(folder, 'data.json')
  const data = JSON.parse(
    readFileSync(new URL('../../../policies/data.json', import.meta.url), 'utf8'),
  ) as object
  const limits = { roles: { '*': ofRoles }, callers: {}, tenants: { '*': {} }, models: { '*': {} } }
  writeFileSync(file, JSON.stringify({ ...data, limits }))
  return file
}

/** Quiet is counted in steps, since the guard shares the event loop: a machine that stands still ends one of them. */
const exchange = (port: number, bytes: string | Buffer, quietMs = 300): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let seen = ''
    let steps = 0
    const done = (): void => {
      clearInterval(timer)
      socket.destroy()
      resolve(seen)
    }
    const timer = setInterval(() => (++steps > QUIET_STEPS ? done() : undefined), quietMs / QUIET_STEPS)
    socket.on('data', (piece) => {
      seen += piece.toString('latin1')
      steps = 0
    })
    socket.on('close', done).on('error', done)
    socket.write(bytes)
  })

const QUIET_STEPS = 25

export const json =
  (body: unknown, status = 200): Behaviour =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

/** These bytes as a stream. */
export const bytes =
  (body: string | Buffer): Behaviour =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(body)
  }

/** One event for each: an object as JSON, a string as it is. */
export const events = (...data: readonly unknown[]): Behaviour =>
  bytes(data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join(''))

/** Events of an Anthropic stream, named after their type. */
export const named = (...data: readonly { readonly type: string }[]): Behaviour =>
  bytes(data.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join(''))

export const chat = (more: object = {}): object => ({
  model: 'demo-small',
  messages: [{ role: 'user', content: 'Hello' }],
  ...more,
})

export const message = (said: object, more: object = {}): Behaviour =>
  json({ choices: [{ index: 0, message: { role: 'assistant', ...said }, finish_reason: 'stop' }], ...more })

export const OFFERED = { tools: [{ type: 'function', function: { name: 'get_weather' } }] }
