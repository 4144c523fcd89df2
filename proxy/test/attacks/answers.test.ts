import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { chat, HALVES, json, message, OFFERED, SECRET, startAttacked, type Attacked } from './hostile.ts'

const CARD = '4111111111111111'

let guard: Attacked
beforeAll(async () => {
  guard = await startAttacked()
})
afterAll(() => guard.close())

const answered = async (more: object = {}): Promise<{ status: number; text: string }> => {
  const answer = await guard.post(chat({ ...OFFERED, ...more }))
  const headers = JSON.stringify([...answer.headers])
  return { status: answer.status, text: `${await answer.text()} ${headers}` }
}

const call = (called: object, more: object = {}): object => ({
  content: null,
  tool_calls: [{ id: 'c', function: called, ...more }],
})

describe('a secret in a whole answer does not get out', () => {
  const likely = (text: string, alternatives: readonly string[]) =>
    json({
      choices: [
        {
          index: 0,
          message: { content: text },
          logprobs: {
            content: text.split('').map((token, at) => ({
              token,
              logprob: -1,
              top_logprobs: [{ token: alternatives[at] ?? '', logprob: -2 }],
            })),
          },
        },
      ],
    })

  test.each([
    ['in the content', message({ content: SECRET })],
    ['in the refusal', message({ refusal: SECRET })],
    ['in the reasoning', message({ content: 'x', reasoning: SECRET })],
    ['in both reasonings', message({ reasoning_content: 'x', reasoning: SECRET })],
    ['as the role', message({ role: SECRET, content: 'x' })],
    ['as the name of a tool', message(call({ name: SECRET, arguments: '{}' }))],
    ['in tool arguments', message(call({ name: 'get_weather', arguments: `{"a":"${SECRET}"}` }))],
    ['as a key of tool arguments', message(call({ name: 'get_weather', arguments: `{"${SECRET}":1}` }))],
    [
      'escaped in arguments that parsers read differently',
      message(call({ name: 'get_weather', arguments: `{"a":"\\u0041${SECRET.slice(1)}","a":1}` })),
    ],
    [
      'in a custom tool call',
      message({ tool_calls: [{ id: 'c', custom: { name: 'get_weather', input: SECRET } }] }),
    ],
    [
      'in a function call of the old kind',
      message({ function_call: { name: 'get_weather', arguments: SECRET } }),
    ],
    [
      'in a citation',
      message({ content: 'x', annotations: [{ type: 'url_citation', url_citation: { title: SECRET } }] }),
    ],
    ['in audio', message({ content: 'x', audio: { transcript: SECRET } })],
    [
      'as an unknown key',
      message({
        content: 'x',
        [SECRET]: 'a text that is longer than any identifier would be, by far' + '.'.repeat(40),
      }),
    ],
    ['under an unknown key', message({ content: 'x', hidden: SECRET })],
    ['as model and object', message({ content: 'x' }, { model: SECRET, object: SECRET })],
    ['as the service tier', message({ content: 'x' }, { service_tier: SECRET })],
    [
      'in usage',
      message({ content: 'x' }, { usage: { prompt_tokens: 1, completion_tokens: 1, note: SECRET } }),
    ],
    [
      'in a second choice',
      json({
        choices: [
          { index: 0, message: { content: 'x' } },
          { index: 1, message: { content: SECRET } },
        ],
      }),
    ],
    [
      'in two choices of one index',
      json({
        choices: [
          { index: 0, message: { content: 'x' } },
          { index: 0, message: { content: SECRET } },
        ],
      }),
    ],
    ['in a choice without an index', json({ choices: [{ message: { content: SECRET } }] })],
    ['under a doubled key', json(`{"choices":[],"choices":[{"index":0,"message":{"content":"${SECRET}"}}]}`)],
    [
      'under a key in capitals',
      json(`{"choices":[],"Choices":[{"index":0,"message":{"content":"${SECRET}"}}]}`),
    ],
    ['escaped', json(`{"choices":[{"index":0,"message":{"content":"\\u0041${SECRET.slice(1)}"}}]}`)],
    ['in the alternatives of tokens', likely('ab', HALVES)],
    ['after the JSON', json(`{"choices":[]} ${SECRET}`)],
  ])('%s', async (_what, behaviour) => {
    guard.behave(behaviour)
    expect((await answered({ logprobs: true, top_logprobs: 2, n: 2 })).text).not.toContain(SECRET)
  })

  test('in its headers', async () => {
    guard.behave((response) => {
      for (const name of [
        'x-request-id',
        'openai-processing-ms',
        'set-cookie',
        'retry-after',
        'server',
        'x-postern-decision',
        'x-ratelimit-limit',
      ])
        response.setHeader(name, SECRET)
      message({ content: 'x' })(response)
    })
    expect((await answered()).text).not.toContain(SECRET)
  })
})

test('a card number does not get out of tool arguments as a number either', async () => {
  for (const written of [CARD, '4.111111111111111e15', `"${CARD}"`, `[[${CARD}]]`]) {
    guard.behave(message(call({ name: 'get_weather', arguments: `{"card":${written}}` })))
    const { status, text } = await answered()
    expect([status, text]).toEqual([200, expect.stringContaining('[REDACTED_PAYMENT_CARD]')])
    expect(text).not.toMatch(/4\.?111111111111111/)
  }
})

test('a short number and the bounds of a schema stay numbers', async () => {
  const numbers = '{"a":42,"b":-1.5,"c":2147483647,"d":9007199254740991}'
  guard.behave(message(call({ name: 'get_weather', arguments: numbers })))
  expect((await answered()).text).toContain(JSON.stringify(numbers))
})

describe('a tool call that policy did not judge does not get out', () => {
  test.each([
    ['that was not offered', call({ name: 'delete_all', arguments: '{}' })],
    [
      'with a second name',
      call({ name: 'get_weather', arguments: '{}' }, { custom: { name: 'delete_all', input: '' } }),
    ],
    [
      'that is of one kind and says another',
      call({ name: 'delete_all', arguments: '{}' }, { type: 'custom' }),
    ],
    [
      'beside one that was offered',
      {
        tool_calls: [
          { id: 'a', function: { name: 'get_weather', arguments: '{}' } },
          { id: 'b', function: { name: 'delete_all', arguments: '{}' } },
        ],
      },
    ],
    [
      'of the old kind beside one of the new',
      {
        ...call({ name: 'get_weather', arguments: '{}' }),
        function_call: { name: 'delete_all', arguments: '{}' },
      },
    ],
  ])('%s', async (_what, said) => {
    guard.behave(message(said))
    expect((await answered()).text).not.toContain('delete_all')
  })
})

test('a secret that is split over the text blocks of an Anthropic message does not get out', async () => {
  const [first, second] = HALVES
  guard.behave(
    json({
      id: 'm',
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'text', text: `key ${first}` },
        { type: 'text', text: `${second} end` },
      ],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 1 },
    }),
  )
  const answer = await (await guard.post(chat({ max_tokens: 9 }), { path: '/v1/messages' })).json()
  expect((answer as { content: readonly { text: string }[] }).content.map(({ text }) => text)).toEqual([
    'key [REDACTED_AWS_ACCESS_KEY]',
    '[REDACTED_AWS_ACCESS_KEY] end',
  ])
})

describe('a secret in an error of the model server gets neither out nor into the log', () => {
  const shapes: readonly (readonly [string, unknown])[] = [
    ['of OpenAI', { error: { message: SECRET } }],
    ['of TGI', { error: SECRET }],
    ['of FastAPI', { detail: SECRET }],
    ['of older vLLM', { message: SECRET }],
    ['with a list', { detail: [{ msg: SECRET }] }],
    ['with a code', { error: { message: 'x', code: SECRET, type: SECRET, param: SECRET } }],
    ['as a string', SECRET],
  ]
  test.each(shapes)('%s', async (_what, shape) => {
    for (const status of [400, 401, 404, 413, 418, 422, 429, 500, 501]) {
      for (const stream of [false, true]) {
        guard.behave(json(shape, status))
        const answer = await answered({ stream })
        expect([status, answer.status >= 400, answer.text.includes(SECRET)]).toEqual([status, true, false])
      }
    }
    expect(guard.logged()).not.toContain(SECRET)
  })

  test.each([201, 202, 206, 302, 307, 503])('with status %d', async (status) => {
    guard.behave(
      json({ error: { message: SECRET }, choices: [{ index: 0, message: { content: SECRET } }] }, status),
    )
    const answer = await answered()
    expect([answer.status >= 400, answer.text.includes(SECRET)]).toEqual([true, false])
  })
})
