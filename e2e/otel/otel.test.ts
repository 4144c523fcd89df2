import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI from 'openai'
import { isInstalled, startPrometheus, type Daemon } from '../../monitoring/demo/prometheus.ts'
import { startTestGuard, type TestGuard } from '../../proxy/test/start.ts'
import {
  isBuilt,
  startCollector,
  type Attribute,
  type Collector,
  type Metric,
  type Span,
} from './collector.ts'

const real = isBuilt ? test : test.skip
const WHY = isBuilt ? '' : ' (skipped: no collector; node e2e/otel/build.ts makes one, with Go)'
const HAVE_PROMETHEUS = isBuilt && isInstalled('prometheus')
const scraped = HAVE_PROMETHEUS ? test : test.skip
const WHY_NOT = isBuilt ? ' (skipped: no prometheus)' : WHY
const SECRET = 'what-only-the-prompt-says'
const BAGGAGE = 'what-only-the-baggage-says'
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

let collector: Collector
let guard: TestGuard
let prometheus: Daemon | undefined

beforeAll(async () => {
  if (!isBuilt) return
  collector = await startCollector()
  guard = await startTestGuard({
    config: {
      telemetry: {
        otlp: {
          endpoint: `${collector.url}/v1/traces`,
          tls: collector.tls,
          batchDelay: '50ms',
          metrics: true,
          metricsInterval: '5s',
        },
        provider: 'vllm',
        genAiMetrics: true,
        genAiNames: 'both',
        guardrailAttributes: true,
      },
    },
  })
  if (HAVE_PROMETHEUS)
    prometheus = await startPrometheus({
      targets: [new URL(guard.adminUrl).host],
      ruleFiles: [],
      interval: '1s',
    })
  await traffic()
}, 60_000)

afterAll(async () => {
  await prometheus?.close()
  await (guard as TestGuard | undefined)?.close()
  await (collector as Collector | undefined)?.close()
})

const client = (key = guard.keys.user) =>
  new OpenAI({
    apiKey: key,
    baseURL: `${guard.url}/v1`,
    maxRetries: 0,
    defaultHeaders: {
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
      tracestate: 'vendor=t61rcWkgMzE',
      baggage: `user=${BAGGAGE}`,
    },
  })

const traffic = async (): Promise<void> => {
  const messages = [{ role: 'user' as const, content: `hello ${SECRET}` }]
  await client().chat.completions.create({ model: 'demo-small', messages, max_completion_tokens: 64 })
  const stream = await client().chat.completions.create({ model: 'demo-small', messages, stream: true })
  for await (const { choices } of stream) expect(choices.length).toBeGreaterThanOrEqual(0)
  await client(guard.keys.nobody)
    .chat.completions.create({ model: 'demo-small', messages })
    .catch(() => undefined)
}

/** Tries until there is something, at most for 30 s. */
const eventually = async <T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  for (let tries = 0; tries < 300; tries++) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(100)
  }
  throw new Error(`it never came; the guard said:\n${guard.logged()}`)
}

const plain = (attributes: readonly Attribute[] = []) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ??
        value.doubleValue ??
        value.arrayValue?.values?.map((one) => one.stringValue) ??
        (value.intValue === undefined ? undefined : Number(value.intValue)),
    ]),
  )

const spans = (): Promise<readonly Span[]> =>
  eventually(() => {
    const all = collector.spans()
    return all.filter(({ name }) => name === 'POST openai.chat').length >= 3 ? all : undefined
  })

const model = async (stream: boolean): Promise<Span> =>
  (await spans()).find(({ name, events = [] }) => name === 'chat demo-small' && events.length > 0 === stream)!

real(
  `spans of whole, streamed and refused exchanges arrive over mutual TLS and join the client's trace${WHY}`,
  async () => {
    const all = await spans()
    expect(new Set(all.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]))
    const servers = all.filter(({ kind }) => kind === 2)
    expect(servers.map(({ parentSpanId }) => parentSpanId)).toEqual(servers.map(() => '00f067aa0ba902b7'))
    expect(servers.map(({ traceState }) => traceState)).toEqual(servers.map(() => 'vendor=t61rcWkgMzE'))
    const said = servers.map(({ attributes }) => plain(attributes))
    expect(said.map((one) => one['postern.outcome']).sort()).toEqual(['allowed', 'allowed', 'refused'])
    const refused = said.find((one) => one['postern.outcome'] === 'refused')
    expect(refused).toMatchObject({
      'error.type': 'policy_denied',
      'gen_ai.guardrail.action.type': 'block',
      'postern.tenant': 'acme',
    })
    expect(said[0]?.['postern.policy.revision']).toMatch(/\S/)
  },
)

real(`the model call is a client span with tokens, in both spellings of the conventions${WHY}`, async () => {
  const whole = await model(false)
  const all = await spans()
  const parent = all.find(({ spanId }) => spanId === whole.parentSpanId)
  expect(parent?.name).toBe('POST openai.chat')
  expect(plain(whole.attributes)).toMatchObject({
    'gen_ai.provider.name': 'vllm',
    'gen_ai.system': 'vllm',
    'gen_ai.request.model': 'demo-small',
    'gen_ai.request.max_tokens': 64,
    'gen_ai.usage.input_tokens': expect.any(Number),
    'gen_ai.usage.output_tokens': expect.any(Number),
    'postern.upstream': 'demo',
  })
  const works = all.filter(({ parentSpanId, kind }) => parentSpanId === parent?.spanId && kind === 1)
  expect(works.map(({ name }) => name)).toEqual(['guard request', 'guard response'])
  for (const { startTimeUnixNano: from, endTimeUnixNano: to } of works) {
    expect(BigInt(from)).toBeLessThanOrEqual(BigInt(to))
    expect(BigInt(from)).toBeGreaterThanOrEqual(BigInt(parent!.startTimeUnixNano))
    expect(BigInt(to)).toBeLessThanOrEqual(BigInt(parent!.endTimeUnixNano))
  }
})

real(
  `a stream says when its first chunk and first text came in, and when the text went out${WHY}`,
  async () => {
    const streamed = await model(true)
    const names = streamed.events?.map(({ name }) => name)
    expect(names).toEqual(['postern.first_chunk', 'postern.first_text_in', 'postern.first_text_out'])
    const times = [
      streamed.startTimeUnixNano,
      ...streamed.events!.map(({ timeUnixNano }) => timeUnixNano),
      streamed.endTimeUnixNano,
    ].map(BigInt)
    expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
    const said = plain(streamed.attributes)
    expect(said['gen_ai.response.time_to_first_chunk']).toBeGreaterThan(0)
    expect(said['postern.stream.held_characters']).toBeGreaterThanOrEqual(0)
  },
)

real(`metrics arrive under the names of the admin port and of the conventions${WHY}`, async () => {
  const metrics = await eventually(() => {
    const all = collector.metrics()
    const requests = all.get('postern_requests_total')?.sum?.dataPoints ?? []
    return requests.reduce((sum, { asDouble = 0 }) => sum + asDouble, 0) >= 3 ? all : undefined
  })
  const exposed = await (await fetch(`${guard.adminUrl}/metrics`)).text()
  const withSeries = [...exposed.matchAll(/^# TYPE (\S+) (\w+)\n(?!\n)/gm)].map(([, name = '']) => name)
  const named = (name: string): string => OTLP_NAMES[name] ?? name
  expect(withSeries.length).toBeGreaterThan(30)
  expect(withSeries.map(named).filter((name) => !metrics.has(name))).toEqual([])
  expect(metrics.get('postern_requests_total')?.sum?.isMonotonic).toBe(true)
  checkHistogram(metrics.get('postern_guard_seconds'), 2)
  checkHistogram(metrics.get('gen_ai.client.operation.duration'), 2)
  checkHistogram(metrics.get('gen_ai.client.operation.time_to_first_chunk'), 1)
  const [usage] = metrics.get('gen_ai.client.token.usage')?.histogram?.dataPoints ?? []
  expect(plain(usage?.attributes)).toEqual({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'vllm',
    'gen_ai.system': 'vllm',
    'gen_ai.request.model': 'demo-small',
    'gen_ai.token.type': 'input',
  })
})

const OTLP_NAMES: Readonly<Record<string, string>> = {
  gen_ai_client_operation_duration_seconds: 'gen_ai.client.operation.duration',
  gen_ai_client_operation_time_to_first_chunk_seconds: 'gen_ai.client.operation.time_to_first_chunk',
  gen_ai_client_token_usage: 'gen_ai.client.token.usage',
  gen_ai_server_request_duration_seconds: 'gen_ai.server.request.duration',
  gen_ai_server_time_to_first_token_seconds: 'gen_ai.server.time_to_first_token',
}

const checkHistogram = (metric: Metric | undefined, count: number): void => {
  expect(metric?.unit).toBe('s')
  const [point] = metric?.histogram?.dataPoints ?? []
  expect(Number(point?.count)).toBeGreaterThanOrEqual(count)
  expect(point?.bucketCounts?.length).toBe((point?.explicitBounds?.length ?? 0) + 1)
  expect(point?.bucketCounts?.reduce((sum, one) => sum + Number(one), 0)).toBe(Number(point?.count))
}

scraped(
  `a real Prometheus keeps exemplars whose trace and span the collector has${HAVE_PROMETHEUS ? '' : WHY_NOT}`,
  async () => {
    const exemplars = await eventually(async () => {
      const url = new URL('/api/v1/query_exemplars', prometheus!.url)
      url.searchParams.set('query', '{__name__=~"postern_.*"}')
      url.searchParams.set('start', String(Date.now() / 1000 - 600))
      url.searchParams.set('end', String(Date.now() / 1000 + 60))
      const answer = (await (await fetch(url)).json()) as Exemplars
      const found = answer.data.flatMap((one) =>
        one.exemplars.map(({ labels }) => ({ name: one.seriesLabels['__name__'], ...labels })),
      )
      return found.some(({ name }) => name === 'postern_refusals_total') ? found : undefined
    })
    const names = new Set(exemplars.map(({ name }) => name))
    for (const name of [
      'postern_request_duration_seconds_bucket',
      'postern_decision_seconds_bucket',
      'postern_guard_seconds_bucket',
    ])
      expect(names).toContain(name)
    const known = new Set((await spans()).map(({ traceId, spanId }) => `${traceId} ${spanId}`))
    expect(exemplars.filter((one) => !known.has(`${one.trace_id} ${one.span_id}`))).toEqual([])
  },
)

interface Exemplars {
  readonly data: readonly {
    readonly seriesLabels: Readonly<Record<string, string>>
    readonly exemplars: readonly {
      readonly labels: { readonly trace_id: string; readonly span_id: string }
    }[]
  }[]
}

real(`the model server gets the trace and its state, and no baggage${WHY}`, () => {
  for (const { headers } of guard.model.received) {
    expect(headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
    expect(headers.tracestate).toBe('vendor=t61rcWkgMzE')
    expect(headers.baggage).toBeUndefined()
  }
  expect(guard.model.received).toHaveLength(2)
})

real(`nothing that a client wrote is in what the collector received${WHY}`, async () => {
  await spans()
  expect(collector.written()).not.toMatch(new RegExp(`${SECRET}|${BAGGAGE}|${guard.keys.user}|user-1`))
})

real(
  `a collector that goes away is counted and logged, and requests go on${WHY}`,
  async () => {
    await collector.stop()
    await traffic()
    const text = await eventually(async () => {
      const exposed = await (await fetch(`${guard.adminUrl}/metrics`)).text()
      return /postern_telemetry_exports_total\{signal="metrics",result="failed"\}/.test(exposed) &&
        /postern_telemetry_exports_total\{signal="traces",result="failed"\}/.test(exposed)
        ? exposed
        : undefined
    })
    expect(text).toMatch(/postern_telemetry_exports_total\{signal="metrics",result="ok"\} [1-9]/)
    expect(guard.logged()).toMatch(/warn metric_export_failed/)
    expect(guard.logged()).toMatch(/warn trace_export_failed/)
    await traffic()
  },
  60_000,
)
