import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import {
  bytes,
  chat,
  json,
  message,
  OFFERED,
  startAttacked,
  type Attacked,
  type Behaviour,
} from './hostile.ts'

let guard: Attacked
const crashes: unknown[] = []
const note = (cause: unknown): void => void crashes.push(cause)
beforeAll(async () => {
  process.on('unhandledRejection', note).on('uncaughtException', note)
  guard = await startAttacked()
})
afterAll(async () => {
  process.off('unhandledRejection', note).off('uncaughtException', note)
  await guard.close()
})

/** Writes the pieces one by one, as fast as they are taken. */
const pieces =
  (...list: readonly (string | Buffer)[]): Behaviour =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const write = async (): Promise<void> => {
      for (const piece of list) if (!response.write(piece)) await once(response, 'drain')
      response.end()
    }
    write().catch(() => undefined)
  }

const END = 'data: [DONE]\n\n'
const events = (count: number, event: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => `data: ${event(at)}\n\n`).join('')

describe('a model server that floods the guard is answered for, and the guard lives on', () => {
  const alternatives = JSON.stringify(Array(128).fill({ token: 'b', logprob: 0 }))
  test.each<[string, Behaviour, number]>([
    ['empty events', bytes(events(100_000, () => '{}') + END), 200],
    ['comments', bytes(':\n\n'.repeat(100_000) + END), 200],
    ['one endless comment', bytes(`:${'x'.repeat(2_000_000)}`), 502],
    ['one endless event', bytes(`data: ${'x'.repeat(2_000_000)}`), 502],
    ['an event of many lines', bytes('data:\n'.repeat(400_000)), 502],
    [
      'single bytes',
      pieces(...(events(20, () => '{"choices":[{"delta":{"content":"é"}}]}') + END).split('')),
      200,
    ],
    [
      'a thousand tool calls',
      bytes(
        events(
          1000,
          (at) =>
            `{"choices":[{"delta":{"tool_calls":[{"index":${at},"id":"a","function":{"name":"get_weather","arguments":"{}"}}]}}]}`,
        ) + END,
      ),
      200,
    ],
    [
      'tool calls with huge numbers',
      bytes(
        events(
          1,
          () =>
            '{"choices":[{"delta":{"tool_calls":[{"index":1e9,"id":"a","function":{"name":"get_weather","arguments":"{}"}}]}}]}',
        ),
      ),
      502,
    ],
    [
      'tool calls without names',
      bytes(
        events(
          5000,
          (at) => `{"choices":[{"delta":{"tool_calls":[{"index":${at % 1000},"function":{}}]}}]}`,
        ) + END,
      ),
      200,
    ],
    [
      'choices that nobody asked for',
      bytes(
        events(
          1000,
          (at) =>
            `{"choices":[{"index":${at},"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":0,"top_logprobs":${alternatives}}]}}]}`,
        ) + END,
      ),
      502,
    ],
    ['an event nested deep', bytes(events(1, () => '['.repeat(500_000))), 502],
    [
      'arguments nested deep',
      bytes(
        events(
          1,
          () =>
            `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"${'['.repeat(300_000)}"}}]}}]}`,
        ) + END,
      ),
      200,
    ],
    [
      'arguments without an end',
      bytes(
        events(
          300,
          (at) =>
            `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_weather","arguments":"${String(at).repeat(2000)}"}}]}}]}`,
        ) + END,
      ),
      502,
    ],
  ])('%s', async (_what, behaviour, status) => {
    guard.behave(behaviour)
    const answer = await guard.post(chat({ stream: true, logprobs: true, top_logprobs: 1, ...OFFERED }))
    await answer.text()
    expect(answer.status).toBe(status)
  })

  test.each<[string, string]>([
    ['nested deep', `{"choices":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    [
      'nested deep below an unknown key',
      `{"choices":[],"x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
    ],
    ['with a hundred thousand choices', `{"choices":[${'{},'.repeat(100_000)}{}]}`],
    [
      'with a hundred thousand tool calls',
      `{"choices":[{"index":0,"message":{"tool_calls":[${'{},'.repeat(100_000)}{}]}}]}`,
    ],
    ['with a number of a million digits', `{"choices":[],"created":${'9'.repeat(1_000_000)}}`],
  ])('a whole answer %s', async (_what, body) => {
    guard.behave(json(body))
    expect((await guard.post(chat())).status).toBe(502)
  })
})

describe('a client that floods the guard is refused, and the guard lives on', () => {
  const start = '{"model":"demo-small","messages":[{"role":"user","content":"x"}]'
  test.each<[string, string]>([
    ['nesting', `${start},"metadata":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['values', `${start},"stop":[${'1,'.repeat(150_000)}1]}`],
    ['keys', `${start},"logit_bias":{${Array.from({ length: 60_000 }, (_, at) => `"${at}":1`).join()}}}`],
    ['equal keys', `${start},"metadata":{${'"a":1,'.repeat(40_000)}"a":1}}`],
    ['messages without content', `{"model":"demo-small","messages":[${'{},'.repeat(20_000)}{}]}`],
    ['a number of many digits', `${start},"seed":${'1'.repeat(1_000_000)}}`],
    ['an unfinished string of escapes', `${start},"user":"${'\\'.repeat(1_000_001)}`],
  ])('with %s', async (_what, body) => {
    expect((await guard.post(body)).status).toBe(400)
  })
})

test('nothing of that was an error that nobody caught, and nothing was left open', async () => {
  await guard.records()
  expect(crashes).toEqual([])
  guard.behave(message({ content: 'x' }))
  expect((await guard.post(chat())).status).toBe(200)
  await guard.records()
  expect(await (await fetch(`${guard.adminUrl}/metrics`)).text()).toMatch(/^postern_in_flight 0$/m)
  expect(guard.logged()).not.toMatch(/handler_failed|edge_failed|exchange_not_recorded/)
})
