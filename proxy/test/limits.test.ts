import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startTestGuard, type TestGuard } from './start.ts'

interface Data {
  limits: { roles: Record<string, object> }
}

let folder: string
let guard: TestGuard
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-limits-'))
  const data = JSON.parse(
    readFileSync(resolve(import.meta.dirname, '../../policies/data.json'), 'utf8'),
  ) as Data
  data.limits.roles['user'] = { requests_per_second: 0.1, burst: 2, concurrency: 100 }
  data.limits.roles['developer'] = { tokens_per_minute: 400 }
  data.limits.roles['service'] = { concurrency: 1 }
  writeFileSync(join(folder, 'data.json'), JSON.stringify(data))
  guard = await startTestGuard({
    config: { policy: { dataFile: join(folder, 'data.json') } },
    script: (body) => {
      const long = JSON.stringify(body.messages).includes('long')
      return { pieces: Array.from({ length: long ? 2000 : 3 }, (_, i) => `word${i} `) }
    },
  })
})
afterAll(async () => {
  await guard.close()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (role: 'user' | 'developer' | 'service', content: string, more: object = {}): Promise<Response> =>
  fetch(`${guard.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${guard.keys[role]}` },
    body: JSON.stringify({
      model: 'demo-small',
      messages: [{ role: 'user', content }],
      max_tokens: 100,
      ...more,
    }),
  })

describe('limits from policy data', () => {
  test('too many requests get 429 with the time to wait, and may be sent again', async () => {
    const answers = [await ask('user', 'a'), await ask('user', 'b'), await ask('user', 'c')]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
    const { headers } = answers[2]!
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(headers.get('retry-after-ms'))).toBeGreaterThan(0)
    expect(headers.get('x-ratelimit-limit-requests')).toBe('2')
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(headers.get('x-should-retry')).toBe('true')
    expect(answers[0]!.headers.get('x-ratelimit-remaining-requests')).toBe('1')
  })

  test('a place is taken while an answer runs and free when it has ended, also when the client leaves', async () => {
    const leaving = new AbortController()
    const running = await fetch(`${guard.url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${guard.keys.service}` },
      body: JSON.stringify({
        model: 'demo-small',
        stream: true,
        messages: [{ role: 'user', content: 'long' }],
      }),
    })
    // The answer is longer than what the sockets buffer, so it runs until somebody reads it.
    expect((await ask('service', 'a')).status).toBe(429)
    leaving.abort()
    await running.text().catch(() => undefined)
    await guard.records()
    expect((await ask('service', 'a')).status).toBe(200)
  })

  test('a request that could never fit its budget is refused for good', async () => {
    const answer = await ask('developer', 'a', { max_tokens: 100_000 })
    expect(answer.status).toBe(429)
    expect(answer.headers.get('x-should-retry')).toBe('false')
  })

  test('a stream that outgrows the budget ends as length, honestly and in shape', async () => {
    const before = guard.model.received.length
    const text = await (await ask('developer', 'long', { stream: true })).text()
    expect(guard.model.received.length).toBe(before + 1)
    const events = text
      .split('\n\n')
      .filter((event) => event.startsWith('data: {'))
      .map((event) => JSON.parse(event.slice(6)) as { choices: { finish_reason: string | null }[] })
    expect(
      events.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason)).filter(Boolean),
    ).toEqual(['length'])
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    expect(text.length).toBeLessThan(200_000)
    const last = (await guard.records()).at(-1)
    expect(last).toMatchObject({ outcome: 'cut', reasons: ['budget_spent'] })
  })
})
