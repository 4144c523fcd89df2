import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterEach, expect, test } from '@jest/globals'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { passOn } from './pass-on.ts'
import { tracing, type TracingOptions } from './tracing.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CLIENT = `00-${TRACE}-00f067aa0ba902b7-01`

interface Span {
  readonly spanId: string
  readonly status: { readonly code: number }
  readonly attributes: { readonly key: string; readonly value: Record<string, string | number | boolean> }[]
}

interface Export {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Span[] }[] }[]
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A collector that keeps the spans it was sent, as OTLP/JSON; `silent` takes the connection and never answers. */
const collector = async (silent = false) => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString())
      if (!silent) response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  const { port } = server.address() as AddressInfo
  const spans = () =>
    bodies.flatMap((body) => (JSON.parse(body) as Export).resourceSpans[0]!.scopeSpans[0]!.spans)
  return { endpoint: new URL(`http://127.0.0.1:${String(port)}/v1/traces`), bodies, spans }
}

const options = (endpoint: URL, more: Partial<TracingOptions> = {}): TracingOptions => ({
  endpoint,
  headers: {},
  resource: { 'service.name': 'postern' },
  sampleRatio: 1,
  maxQueue: 64,
  batchDelayMs: 10,
  timeoutMs: 1000,
  meter: noMeter,
  log: noLog,
  provider: 'vllm',
  guardrailAttributes: false,
  genAiNames: 'latest',
  ...more,
})

const exchange = { id: 'x1', route: 'openai.chat', method: 'POST', traceparent: CLIENT }
const call = { operation: 'chat', model: 'llama', stream: true } as const

const attributes = (span: Span | undefined) =>
  Object.fromEntries(span!.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

const tlsTest = hasOpenssl ? test : test.skip
tlsTest(
  'a collector may ask for a certificate, which is read again for each connection (needs openssl)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-otlp-'))
    const sh = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
    const key = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-days', '2']
    sh(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'k',
      '-out',
      'c',
      '-subj',
      '/CN=it',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    )
    const pem = (name: string) => readFileSync(join(folder, name), 'utf8')
    const received: boolean[] = []
    const server = createTlsServer(
      { cert: pem('c'), key: pem('k'), ca: pem('c'), requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        received.push(request.socket instanceof TLSSocket && request.socket.authorized)
        request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'))
      },
    )
    server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
    let reads = 0
    const tls = () => {
      reads += 1
      return reads === 1 ? { ca: pem('c') } : { ca: pem('c'), cert: pem('c'), key: pem('k') }
    }
    const { port } = server.address() as AddressInfo
    const tracer = tracing(options(new URL(`https://127.0.0.1:${port}/v1/traces`), { tls, timeoutMs: 5000 }))
    tracer.start(exchange).end({ status: 200, outcome: 'allowed' })
    const until = Date.now() + 15_000
    while (received.length === 0 && Date.now() < until) {
      tracer.start(exchange).end({ status: 200, outcome: 'allowed' })
      await new Promise((done) => setTimeout(done, 50))
    }
    await tracer.close()
    expect(received[0]).toBe(true)
    expect(reads).toBeGreaterThan(1)
    rmSync(folder, { recursive: true })
  },
)

test('a server span joins the client, the model call is its child, and both arrive at the collector', async () => {
  const { endpoint, spans } = await collector()
  const tracer = tracing(options(endpoint))
  const span = tracer.start(exchange)
  const model = span.modelCall(call)
  model.set({ inputTokens: 12, outputTokens: 34, finishReasons: ['stop'], responseModel: 'llama-3' })
  model.end()
  span.set({ tenant: 'acme', findings: 2, guardrailAction: 'redact' })
  span.end({ status: 200, outcome: 'redacted' })
  await tracer.close()
  const [child, server] = spans()
  expect(server).toMatchObject({
    name: 'POST openai.chat',
    kind: 2,
    traceId: TRACE,
    parentSpanId: '00f067aa0ba902b7',
  })
  expect(child).toMatchObject({ name: 'chat llama', kind: 3, traceId: TRACE, parentSpanId: server?.spanId })
  expect(model.traceparent).toBe(`00-${TRACE}-${String(child?.spanId)}-01`)
  expect(attributes(child)).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'vllm',
    'gen_ai.request.model': 'llama',
    'gen_ai.request.stream': true,
    'gen_ai.response.model': 'llama-3',
    'gen_ai.usage.input_tokens': 12,
    'gen_ai.usage.output_tokens': 34,
  })
  expect(attributes(server)).toMatchObject({ 'postern.tenant': 'acme', 'postern.outcome': 'redacted' })
  expect(JSON.stringify(server)).not.toContain('gen_ai.guardrail')
})

test('draft guardrail attributes are sent behind their switch', async () => {
  const { endpoint, spans } = await collector()
  const tracer = tracing(options(endpoint, { guardrailAttributes: true }))
  const span = tracer.start(exchange)
  span.set({ guardrailAction: 'redact' })
  span.end({ status: 200, outcome: 'redacted' })
  await tracer.close()
  expect(attributes(spans()[0])).toMatchObject({ 'gen_ai.guardrail.action.type': 'modify' })
})

test('a refusal names its code; only a failing server is an error span', async () => {
  const { endpoint, spans } = await collector()
  const tracer = tracing(options(endpoint))
  tracer.start(exchange).end({ status: 403, outcome: 'refused', error: 'policy_denied' })
  tracer.start(exchange).end({ status: 503, outcome: 'failed', error: 'guard_failed' })
  await tracer.close()
  const [denied, failed] = spans()
  expect(attributes(denied)).toMatchObject({
    'error.type': 'policy_denied',
    'http.response.status_code': 403,
  })
  expect(denied?.status.code).toBe(0)
  expect(failed?.status.code).toBe(2)
})

test('a client that does not record is not recorded, yet the model server still gets its trace', async () => {
  const { endpoint, bodies } = await collector()
  const tracer = tracing(options(endpoint))
  const span = tracer.start({ ...exchange, traceparent: `00-${TRACE}-00f067aa0ba902b7-00` })
  expect(span.modelCall(call).traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  span.end({ status: 200, outcome: 'allowed' })
  await tracer.close()
  expect(bodies).toEqual([])
})

test('a client cannot force its trace to be recorded', async () => {
  const { endpoint, bodies } = await collector()
  const tracer = tracing(options(endpoint, { sampleRatio: 0 }))
  tracer.start(exchange).end({ status: 200, outcome: 'allowed' })
  await tracer.close()
  expect(bodies).toEqual([])
})

test('off: a valid trace parent is passed on unchanged, otherwise one is made', async () => {
  const joined = passOn.start(exchange)
  expect([joined.traceId, joined.traceparent, joined.modelCall(call).traceparent]).toEqual([
    TRACE,
    CLIENT,
    CLIENT,
  ])
  const made = passOn.start({ ...exchange, traceparent: 'garbage' })
  expect(made.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  made.end({ status: 200, outcome: 'allowed' })
  await passOn.close()
})

test('a collector that never answers drops spans beyond the bound and cannot hold up the end', async () => {
  const { endpoint } = await collector(true)
  const events: string[] = []
  const log = { ...noLog, warn: (event: string) => void events.push(event) }
  const tracer = tracing(options(endpoint, { timeoutMs: 200, log }))
  for (let i = 0; i < 1000; i++) tracer.start(exchange).end({ status: 200, outcome: 'allowed' })
  const from = performance.now()
  await tracer.close()
  expect(performance.now() - from).toBeLessThan(15_000)
})

test('a collector that is not there is logged once, and requests go on', async () => {
  const events: string[] = []
  const log = { ...noLog, warn: (event: string) => void events.push(event) }
  const tracer = tracing(
    options(new URL('http://127.0.0.1:9/v1/traces'), { timeoutMs: 300, maxQueue: 4, log }),
  )
  for (let i = 0; i < 20; i++) {
    tracer.start(exchange).end({ status: 200, outcome: 'allowed' })
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await tracer.close()
  expect(events).toEqual(['trace_export_failed'])
})

test('spans end once, and a model call left open ends with its exchange', async () => {
  const { endpoint, spans } = await collector()
  const tracer = tracing(options(endpoint))
  const span = tracer.start(exchange)
  span.modelCall(call)
  span.end({ status: 504, outcome: 'failed', error: 'model_timeout' })
  span.end({ status: 200, outcome: 'allowed' })
  await tracer.close()
  expect(spans()).toHaveLength(2)
  expect(attributes(spans()[0])).toMatchObject({ 'error.type': 'model_timeout' })
  expect(attributes(spans()[1])).toMatchObject({ 'http.response.status_code': 504 })
})
