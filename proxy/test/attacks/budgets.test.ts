import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  bytes,
  chat,
  events,
  json,
  message,
  startAttacked,
  type Attacked,
  type PostOptions,
} from './hostile.ts'

const LONG = 'word '.repeat(4000) // about 5000 tokens
// twice as much, as an answer that says something new: one that only repeats itself is cut
const NEWS = Array.from({ length: 4000 }, (_, i) => `${(i * 7919) % 1e9} `.padStart(10, '0')).join('')

let guard: Attacked
beforeAll(async () => {
  guard = await startAttacked({ limits: 'built-in' })
})
afterAll(() => guard.close())

/** Tokens per minute that a caller has left. Costs few of them itself. */
const left = async (role: PostOptions['role']): Promise<number> => {
  guard.behave(message({ content: '' }, { usage: { prompt_tokens: 1, completion_tokens: 0 } }))
  const answer = await guard.post(chat({ max_tokens: 1 }), { role })
  await answer.text()
  return Number(answer.headers.get('x-ratelimit-remaining-tokens'))
}

/** Sends a request and hangs up when `until` says so. */
const hangUp = async (
  at: Attacked,
  until: Promise<unknown>,
  { body, ...more }: PostOptions & { readonly body: object },
): Promise<void> => {
  const leaving = new AbortController()
  const sent = at.post(body, { ...more, signal: leaving.signal }).catch(() => undefined)
  await until
  leaving.abort()
  await sent
  await at.records()
}

const received = ({ behave }: Attacked): Promise<void> =>
  new Promise((resolve) => {
    behave(() => resolve())
  })

describe('a client that hangs up pays for what the model may have done', () => {
  test('before a whole answer: the prompt and the answer that it asked for', async () => {
    const before = await left('user')
    const body = chat({ max_tokens: 4000, messages: [{ role: 'user', content: LONG }] })
    await hangUp(guard, received(guard), { body, role: 'user' })
    expect(before - (await left('user'))).toBeGreaterThan(7000)
  })

  test('before a stream begins: the prompt', async () => {
    const before = await left('developer')
    const body = chat({ stream: true, messages: [{ role: 'user', content: LONG }] })
    await hangUp(guard, received(guard), { body })
    expect(before - (await left('developer'))).toBeGreaterThan(3000)
  })

  test('within a stream that told its usage at the beginning: what came since', async () => {
    const start = {
      type: 'message_start',
      message: { id: 'm', content: [], usage: { input_tokens: 1, output_tokens: 1 } },
    }
    const open = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: NEWS } }
    const written = new Promise<void>((resolve) => {
      guard.behave((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${JSON.stringify(start)}\n\ndata: ${JSON.stringify(open)}\n\n`, () =>
          setTimeout(resolve, 1000),
        )
      })
    })
    const body = chat({ stream: true, max_tokens: 50 })
    await hangUp(guard, written, { body, path: '/v1/messages', role: 'service' })
    expect((await guard.records()).at(-1)).toMatchObject({
      outcome: 'client_gone',
      tokens: { output: 10_000 },
    })
  })

  test('and leaves the reason of its refusal in the record', async () => {
    await guard.raw(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer no\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
      1500,
    )
    expect((await guard.records()).at(-1)?.reasons).toContain('unauthenticated')
  })
})

test('a place is free again however an exchange ends', async () => {
  const one = await startAttacked({ limits: { concurrency: 1 } })
  const { behave, post, raw, keys } = one
  const ends: readonly (() => Promise<unknown>)[] = [
    () => post('{'),
    () => post(chat({ model: 'unknown' })),
    () => hangUp(one, received(one), { body: chat() }),
    () => hangUp(one, received(one), { body: chat({ stream: true }) }),
    () => (behave((response) => response.destroy()), post(chat())),
    () => (behave(json('{', 200)), post(chat())),
    () => (behave(bytes('data: {')), post(chat({ stream: true }))),
    () => (behave(events({ error: 1 })), post(chat({ stream: true }))),
    () =>
      raw(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${keys.developer}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
        50,
      ),
  ]
  for (const end of ends) {
    await end()
    await one.records()
    one.behave(message({ content: 'x' }))
    expect([String(end), (await one.post(chat())).status]).toEqual([String(end), 200])
  }
  await one.records()
  const metrics = await (await fetch(`${one.adminUrl}/metrics`)).text()
  await one.close()
  expect(metrics).toMatch(/^postern_in_flight 0$/m)
})

test('the answers to all prompts of a request are reserved', async () => {
  const body = { model: 'demo-small', prompt: Array<string>(100).fill('a'), max_tokens: 16_000 }
  const answer = await guard.post(body, { path: '/v1/completions' })
  expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
    429,
    'budget_spent',
  ])
})

test.each([-1, 1.5, 1e9, 1e300, '100', [1], {}])('%p as the number of tokens is refused', async (tokens) => {
  for (const key of ['max_tokens', 'max_completion_tokens', 'n'])
    expect([key, (await guard.post(chat({ [key]: tokens }), { role: 'admin' })).status]).toEqual([key, 400])
})

describe('usage that no answer can have', () => {
  test.each(['-5', '1e308', '1e999', '-1e999', '1.5', '"7"', '{}', '[]', 'true', '9007199254740993'])(
    '%s is not believed',
    async (lie) => {
      const told = (usage: string) => `{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":${usage}}`
      for (const usage of [
        `{"prompt_tokens":${lie},"completion_tokens":1}`,
        `{"prompt_tokens":1,"completion_tokens":${lie}}`,
      ]) {
        guard.behave(bytes(`data: ${told(usage)}\n\ndata: [DONE]\n\n`))
        const answer = await guard.post(chat({ stream: true, stream_options: { include_usage: true } }), {
          role: 'admin',
        })
        expect((await answer.text()).replaceAll('"usage":null', '')).not.toContain('"usage"')
        expect((await guard.records()).at(-1)?.tokens).toBeNull()
      }
      const metrics = await (await fetch(`${guard.adminUrl}/metrics`)).text()
      expect(metrics).not.toMatch(/postern_tokens_total\{[^}]*\} (NaN|\+Inf|-|\d+e\+)/)
    },
  )
})
