import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { request } from 'node:https'
import { noLog } from '../../core/log.ts'
import { noMeter } from '../../core/metrics.ts'
import { bundlesRoute } from '../api/bundles.ts'
import { httpsServer, type HttpsServer } from '../https-server.ts'
import type { InjectSettings } from '../inject/settings.ts'
import { newAuthority, newKey, signLeaf } from '../pki/x509.ts'
import type { ServedBundle } from '../reconcile/bundle-source.ts'
import { webhookRoutes } from './webhook.ts'

const life = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 600_000) }
const authority = await newAuthority({ trustDomain: 'test.local', ...life })
const material = async () => {
  const { key, publicKey } = newKey()
  const names = { dns: ['localhost'], ip: ['127.0.0.1'] }
  return { key, cert: await signLeaf(authority, { publicKey, names, ...life, usage: ['server'] }) }
}

let server: HttpsServer
let settings: () => InjectSettings = () => {
  throw new Error('broken inside')
}
let bundle: ServedBundle | undefined
const waiting = new Set<() => void>()
const publish = (etag: string): void => {
  bundle = { bytes: Buffer.from(etag), etag: `"${etag}"`, revision: etag }
  for (const wake of waiting) wake()
}

beforeAll(async () => {
  const source = {
    current: () => bundle,
    changed: (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        waiting.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
  }
  const account = { namespace: 'team', name: 'default', pod: undefined }
  server = await httpsServer({
    host: '127.0.0.1',
    port: 0,
    material: await material(),
    log: noLog,
    routes: {
      ...webhookRoutes({ settings: () => settings(), log: noLog, meter: noMeter }),
      'GET /bundle': bundlesRoute({
        tokens: { recentAccount: () => Promise.resolve(account) },
        bundle: source,
        meter: noMeter,
      }),
    },
  })
})
afterAll(() => server.close(0))

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

const ask = (
  method: string,
  path: string,
  given: {
    readonly body?: string | Buffer
    readonly headers?: Record<string, string>
    readonly localAddress?: string
  } = {},
): Promise<Reply> =>
  new Promise((done, failed) => {
    const { port } = server.address
    const target = {
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: given.headers,
      localAddress: given.localAddress,
      ca: authority.certificate,
    }
    const sent = request({ ...target, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      const finish = () => ({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: Buffer.concat(chunks).toString(),
      })
      response.on('end', () => {
        done(finish())
      })
    })
    sent.on('error', failed)
    sent.end(given.body)
  })

const review = (change: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      namespace: 'team',
      operation: 'CREATE',
      object: { metadata: { labels: { 'postern.dev/inject': 'true' } }, spec: { containers: [] } },
      ...change,
    },
  })

const verdict = async (body: string, path = '/inject?timeout=10s') => {
  const { status, text } = await ask('POST', path, { body })
  expect(status).toBe(200)
  return (JSON.parse(text) as { response: Record<string, unknown> }).response
}

test('an error inside is a no that names the log, never a pod without a guard, and quotes nothing', async () => {
  const answer = await verdict(review())
  expect(answer).toMatchObject({ uid: 'u1', allowed: false })
  expect(JSON.stringify(answer)).toMatch(/could not be added because of an error in the controller/)
  expect(JSON.stringify(answer)).not.toMatch(/broken inside/)
})

test('another kind of object is refused, a status and a pod that does not ask are left alone', async () => {
  settings = () => ({}) as InjectSettings
  const secret = { kind: { group: '', version: 'v1', kind: 'Secret' } }
  expect(await verdict(review(secret))).toMatchObject({ allowed: false })
  expect(await verdict(review({ subResource: 'status' }))).toEqual({ uid: 'u1', allowed: true })
  expect(await verdict(review({ object: { metadata: {}, spec: {} } }))).toEqual({ uid: 'u1', allowed: true })
  expect(await verdict(review({ object: null }))).toMatchObject({ allowed: false })
})

test.each([
  ['nothing', ''],
  ['no JSON', '{"apiVersion"'],
  ['an older version', review().replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1')],
  ['no uid', review({ uid: undefined })],
  ['deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['broken UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])],
])('a review with %s is an HTTP error, which the API server takes for a failure', async (_, body) => {
  const { status, text } = await ask('POST', '/inject', { body })
  expect(status).toBe(400)
  expect(text).toMatch(/"error"/)
})

test('a body above 4 MiB is refused before it is read, and with chunks while it is read', async () => {
  const body = Buffer.alloc(4 * 1024 * 1024 + 1, 0x20)
  const answers = await Promise.all(
    [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }].map((headers) =>
      ask('POST', '/inject', { body, headers }).then(
        ({ status }) => status,
        () => 'cut',
      ),
    ),
  )
  for (const answer of answers) expect([413, 'cut']).toContain(answer)
})

test('one address that holds back its bodies does not keep others from an answer', async () => {
  const { port } = server.address
  const slow = Array.from({ length: 6 }, () => {
    const target = { host: '127.0.0.1', port, path: '/inject', method: 'POST', ca: authority.certificate }
    const call = request({ ...target, agent: false })
    const answered = new Promise<number>((done) => {
      call.on('response', (answer) => done(answer.resume().statusCode ?? 0)).on('error', () => done(0))
    })
    call.write(Buffer.alloc(3_900_000, 0x20))
    return { call, answered }
  })
  expect([503, 0]).toContain(await Promise.race(slow.map(({ answered }) => answered)))
  const body = review()
  expect((await ask('POST', '/inject', { body, localAddress: '127.0.0.2' })).status).toBe(200)
  for (const { call } of slow) call.destroy()
})

test('unknown paths and methods are told', async () => {
  expect((await ask('GET', '/inject')).status).toBe(405)
  expect((await ask('GET', '/__proto__')).status).toBe(404)
})

test('a certificate is swapped without a failing request', async () => {
  server.setCertificate(await material())
  expect((await ask('GET', '/nothing')).status).toBe(404)
  const [one, other] = [await material(), await material()]
  expect(() => {
    server.setCertificate({ cert: one.cert, key: other.key })
  }).toThrow()
  expect((await ask('GET', '/nothing')).status).toBe(404)
})

test('a bundle is sent once, then waited for, and the wait ends with the next one', async () => {
  expect((await ask('GET', '/bundle')).status).toBe(503)
  publish('one')
  const first = await ask('GET', '/bundle')
  expect([first.status, first.text, first.headers.etag]).toEqual([200, 'one', '"one"'])
  expect(first.headers['content-type']).toBe('application/vnd.openpolicyagent.bundles')
  const known = { 'if-none-match': '"one"' }
  expect((await ask('GET', '/bundle', { headers: known })).status).toBe(304)
  const polling = ask('GET', '/bundle', { headers: { ...known, prefer: 'modes=snapshot,delta;wait=30' } })
  while (waiting.size === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  publish('two')
  expect((await polling).text).toBe('two')
})

test('a server that ends answers a long poll at once', async () => {
  waiting.clear()
  const polling = ask('GET', '/bundle', { headers: { 'if-none-match': '"two"', prefer: 'wait=60' } })
  while (waiting.size === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await server.close(5000)
  expect((await polling).status).toBe(304)
})
