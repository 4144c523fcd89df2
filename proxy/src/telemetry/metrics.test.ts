import { expect, test } from '@jest/globals'
import { metrics, type MetricName } from '../core/metrics.ts'
import { promMeter } from './metrics.ts'

const meter = (maxSeries = 100) => promMeter({ maxSeries, processMetrics: false, genAi: true })

/** The exposition format read back: sample name with labels -> value. */
const samples = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1))]
      }),
  )

test('every metric of the table is announced with its help and type', async () => {
  const text = await meter().expose()
  for (const name of Object.keys(metrics) as MetricName[]) {
    expect(text).toContain(`# TYPE ${name} ${metrics[name].kind}`)
    expect(text).toContain(`# HELP ${name} ${metrics[name].help}`)
  }
})

test('counters add up, gauges go both ways, label values come in table order', async () => {
  const m = meter()
  m.add('postern_refusals_total', 1, 'openai.chat', 'policy_denied')
  m.add('postern_refusals_total', 2, 'openai.chat', 'policy_denied')
  m.add('postern_in_flight', 3)
  m.add('postern_in_flight', -1)
  m.set('postern_upstream_healthy', 1, 'gpu-a')
  const found = samples(await m.expose())
  expect(found.get('postern_refusals_total{route="openai.chat",code="policy_denied"}')).toBe(3)
  expect(found.get('postern_in_flight')).toBe(2)
  expect(found.get('postern_upstream_healthy{upstream="gpu-a"}')).toBe(1)
})

test('histogram buckets are cumulative and end in +Inf, which equals the count', async () => {
  const m = meter()
  for (const value of [0, 8, 9, 200, 1e9]) m.observe('postern_held_characters', value, 'r')
  const found = samples(await m.expose())
  const bucket = (le: string) => found.get(`postern_held_characters_bucket{route="r",le="${le}"}`)
  expect([bucket('0'), bucket('8'), bucket('16'), bucket('128'), bucket('256'), bucket('+Inf')]).toEqual([
    1, 2, 3, 3, 4, 5,
  ])
  expect(found.get('postern_held_characters_count{route="r"}')).toBe(5)
  expect(found.get('postern_held_characters_sum{route="r"}')).toBe(1_000_000_217)
})

test('beyond the bound every new label combination counts as other', async () => {
  const m = meter(3)
  for (let i = 0; i < 1000; i++) m.add('postern_tokens_total', 1, `model-${String(i)}`, 'input')
  const found = samples(await m.expose())
  const series = [...found].filter(([name]) => name.startsWith('postern_tokens_total'))
  expect(series).toHaveLength(4)
  expect(found.get('postern_tokens_total{model="other",kind="other"}')).toBe(997)
})

test('nonsense values change nothing and nothing throws', async () => {
  const m = meter()
  m.add('postern_audit_records_total', NaN)
  m.add('postern_audit_records_total', -1)
  m.set('postern_ready', Infinity)
  m.observe('postern_scan_seconds', NaN, 'request')
  const found = samples(await m.expose())
  expect(found.get('postern_audit_records_total')).toBe(0)
  expect(found.get('postern_ready')).toBe(0)
})

test('label values cannot break out of their line', async () => {
  const m = meter()
  m.add('postern_uninspected_total', 1, 'a"} 9\npostern_evil 1')
  const text = await m.expose()
  expect(text).not.toMatch(/^postern_evil/m)
  expect(text).toContain('postern_uninspected_total{route="a\\"} 9\\npostern_evil 1"} 1')
})

test('process metrics come along when asked for', async () => {
  const m = promMeter({ maxSeries: 10, processMetrics: true })
  expect(await m.expose()).toContain('process_resident_memory_bytes')
  expect(m.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
})

const OPEN = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
const TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }

test('a scraper that asks for OpenMetrics gets exemplars, any other the plain format', async () => {
  const m = promMeter({ maxSeries: 10, processMetrics: true })
  m.traced?.(TRACE).observe('postern_guard_seconds', 0.002, 'openai.chat')
  m.traced?.(TRACE).add('postern_refusals_total', 1, 'openai.chat', 'policy_denied')
  m.observe('postern_guard_seconds', 0.3, 'openai.chat')
  const open = await m.exposeTo(OPEN)
  const exemplar = `# {trace_id="${TRACE.traceId}",span_id="${TRACE.spanId}"}`
  expect(open.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(open.text).toContain(
    `postern_guard_seconds_bucket{route="openai.chat",le="0.0025"} 1 ${exemplar} 0.002 `,
  )
  expect(open.text).toContain(
    `postern_refusals_total{route="openai.chat",code="policy_denied"} 1 ${exemplar} 1 `,
  )
  expect(open.text).toContain('# TYPE postern_refusals counter')
  expect(open.text.endsWith('# EOF\n')).toBe(true)
  expect(open.text.split(exemplar)).toHaveLength(3)
  for (const accept of [undefined, '*/*', 'text/plain', OPEN.replace(';version=1.0.0', ';q=0.2')]) {
    const plain = await m.exposeTo(accept)
    expect(plain.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(plain.text).not.toContain('trace_id')
    expect(plain.text).toContain('process_cpu_user_seconds_total')
  }
})

test('a bucket keeps one exemplar, the last, and an observation without a trace leaves it', async () => {
  const m = promMeter({ maxSeries: 10, processMetrics: false })
  for (let i = 0; i < 10_000; i++)
    m.traced?.({ ...TRACE, spanId: i.toString(16).padStart(16, '0') }).observe(
      'postern_scan_seconds',
      0.002,
      'request',
    )
  m.observe('postern_scan_seconds', 0.002, 'request')
  const { text } = await m.exposeTo(OPEN)
  expect(text.match(/trace_id/g)).toHaveLength(1)
  expect(text).toContain('span_id="000000000000270f"')
})

test('the metrics of the GenAI conventions are counted only where they are asked for', async () => {
  const off = promMeter({ maxSeries: 10, processMetrics: false })
  const on = meter()
  for (const m of [off, on]) m.observe('gen_ai_client_token_usage', 12, 'chat', 'llama-*', 'input')
  expect(await off.expose()).not.toContain('gen_ai')
  expect(await on.expose()).toContain(
    'gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",gen_ai_request_model="llama-*",gen_ai_token_type="input"} 12',
  )
})
