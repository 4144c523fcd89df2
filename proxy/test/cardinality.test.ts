import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { metrics, type MetricName } from '../src/core/metrics.ts'
import { promMeter } from '../src/telemetry/metrics.ts'
import { startTestGuard, type TestGuard } from './start.ts'

let guard: TestGuard
beforeAll(async () => {
  guard = await startTestGuard({
    config: {
      telemetry: { genAiMetrics: true },
      models: [{ name: 'team-*', targets: [{ upstream: 'demo' }] }],
      defaultModel: 'team-a',
    },
  })
})
afterAll(() => guard.close())

const random = (): string => `x${randomBytes(8).toString('hex')}`

const series = async (): Promise<readonly string[]> => {
  const text = await (await fetch(`${guard.adminUrl}/metrics`)).text()
  return text.split('\n').filter((line) => /^(postern|gen_ai)_/.test(line))
}

/** Everything of a request that a client can choose freely, all of it different each time. */
const flood = async (times: number): Promise<void> => {
  for (let i = 0; i < times; i++) {
    const name = random()
    const body = JSON.stringify({
      model: i % 2 === 0 ? `team-${name}` : name,
      user: name,
      messages: [{ role: 'user', content: `hello ${name}` }],
      ...(i % 4 === 0
        ? {
            tools: [{ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } }],
          }
        : {}),
    })
    const headers = {
      'content-type': 'application/json',
      'user-agent': name,
      authorization: `Bearer ${i % 5 === 3 ? name : guard.keys.user}`,
      'x-tenant': name,
      traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
    }
    await fetch(`${guard.url}/v1/chat/completions`, { method: 'POST', headers, body }).then((one) =>
      one.text(),
    )
    await fetch(`${guard.url}/${name}`, { headers }).then((one) => one.text())
    await fetch(`${guard.url}/v1/chat/completions`, { method: name.toUpperCase(), headers })
      .then((one) => one.text())
      .catch(() => undefined)
  }
}

test('random models, callers, tenants, tools, paths and methods make no series of their own', async () => {
  await flood(12)
  const before = await series()
  await flood(30)
  const after = await series()
  // A refusal code may come up for the first time; a label of the client's would make ninety.
  expect(after.length).toBeLessThan(before.length + 20)
  expect(after.filter((line) => /x[0-9a-f]{16}/i.test(line))).toEqual([])
  expect(after.some((line) => line.includes('"team-*"'))).toBe(true)
}, 60_000)

test('even if every label were random, each metric has its bound', async () => {
  const meter = promMeter({ maxSeries: 20, processMetrics: false, genAi: true })
  const names = Object.keys(metrics) as MetricName[]
  for (let i = 0; i < 500; i++)
    for (const name of names) {
      const labels = metrics[name].labels.map(random)
      const traced = meter.traced?.({ traceId: random(), spanId: random() }) ?? meter
      if (metrics[name].kind === 'histogram') traced.observe(name, i, ...labels)
      else traced.add(name, 1, ...labels)
    }
  for (const { name, type, values } of await meter.families()) {
    const row = metrics[name as MetricName]
    const lines = 'buckets' in row ? row.buckets.length + 3 : 1
    expect({ name, type, most: values.length <= 21 * lines }).toEqual({ name, type, most: true })
  }
})
