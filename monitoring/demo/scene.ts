import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startModel } from '../../proxy/demo/model.ts'
import { closing, type Closing } from '../../proxy/demo/opened.ts'
import { hashPassword } from '../../proxy/src/identity/password.ts'
import { startTestGuard, type TestGuard } from '../../proxy/test/start.ts'
import { feedbackOf, PASSWORD } from './feedback.ts'
import { sendRound } from './traffic.ts'

/** A guard in this process with something of everything: an issuer, a dead model server, a tight limit, an unread route. */
export interface Scene extends Closing {
  readonly guard: TestGuard
  /** Sends every kind of request once, and has the policy reloaded, once well and once badly. */
  round(): Promise<void>
}

const POLICY_DATA = resolve(import.meta.dirname, '../../policies/data.json')
const NOBODY_LISTENS = 'http://127.0.0.1:9' // the discard port

export const startScene = (): Promise<Scene> => closing(start)

const start = async (opened: (() => unknown)[]): Promise<Omit<Scene, 'close'>> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-scene-'))
  opened.push(() => rm(folder, { recursive: true, force: true }))
  const dataFile = join(folder, 'data.json')
  writeFileSync(dataFile, policyData())
  const model = await startModel({ paceMs: 2 })
  opened.push(() => model.close())
  const issuer = await startIssuer()
  opened.push(() => issuer.close())
  const passwordFile = join(folder, 'ui-password')
  writeFileSync(passwordFile, await hashPassword(PASSWORD))
  const guard = await startTestGuard({
    upstream: model.url,
    config: {
      admin: { port: 0, ui: { passwordHash: { file: passwordFile } } },
      respond: { store: join(folder, 'orders.json') },
      routes: [{ name: 'files', path: '/files', method: 'POST', inspect: false, upstream: 'demo' }],
    },
  })
  opened.push(() => guard.close())
  await guard.running.apply(
    guard.config({
      identity: {
        apiKeys: { file: join(guard.folder, 'keys.yaml') },
        jwt: { issuers: [{ name: 'corp', ...issuer.trust, claims: { defaults: { tenant: 'acme' } } }] },
      },
      upstreams: [
        { name: 'demo', url: model.url },
        { name: 'gone', url: NOBODY_LISTENS },
      ],
      models: [
        { name: 'demo-small', targets: [{ upstream: 'demo' }] },
        { name: 'lost', targets: [{ upstream: 'gone' }] },
      ],
      policy: { dataFile, shadow: {} },
    }),
  )
  const judge = feedbackOf(guard)
  return {
    guard,
    round: async () => {
      writeFileSync(dataFile, '{ this is not JSON')
      await sendRound(guard)
      await judge()
      writeFileSync(dataFile, policyData())
    },
  }
}

/** The built-in data, with a limit for developers that a few requests reach. */
const policyData = (): string => {
  const data = JSON.parse(readFileSync(POLICY_DATA, 'utf8')) as { limits: { roles: Record<string, object> } }
  data.limits.roles['developer'] = { requests_per_second: 1, burst: 1, concurrency: 2 }
  return JSON.stringify(data)
}

const startIssuer = async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'scene', alg: 'ES256', use: 'sig' }]
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    trust: { issuer: url, audiences: ['postern'], jwksUrl: `${url}/keys` },
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
