import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  bytes,
  chat,
  events,
  HALVES,
  named,
  OFFERED,
  SECRET,
  startAttacked,
  type Attacked,
} from './hostile.ts'

const [FIRST, SECOND] = HALVES
const END = '[DONE]'
const chunk = (delta: object, more: object = {}): object => ({ choices: [{ index: 0, delta, ...more }] })
const call = (called: object, more: object = {}): object =>
  chunk({ tool_calls: [{ index: 0, id: 'c', function: called, ...more }] })
const token = (text: string, alternative: string): object => ({
  token: text,
  logprob: -1,
  top_logprobs: [{ token: alternative, logprob: -2 }],
})
const likely = (text: string, ...tokens: readonly object[]): object => ({
  choices: [{ index: 0, delta: { content: text }, logprobs: { content: tokens } }],
})
/** As a model writes it that is asked for a program, one delta for each code. */
const inCalls = (text: string): readonly object[] => [
  chunk({ content: 'print(' }),
  ...Array.from(`it is ${text}`, (char) => chunk({ content: `chr(${char.charCodeAt(0)})+` })),
  chunk({ content: '"")' }, { finish_reason: 'stop' }),
]
const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`

/** Any event of an Anthropic stream. */
interface Typed {
  readonly type: string
  readonly [key: string]: unknown
}

let guard: Attacked
beforeAll(async () => {
  guard = await startAttacked()
})
afterAll(() => guard.close())

const streamed = async (more: object = {}): Promise<{ status: number; text: string }> => {
  const answer = await guard.post(chat({ stream: true, ...OFFERED, ...more }))
  return { status: answer.status, text: await answer.text() }
}

/** True when neither the secret nor what its two halves make when a client puts the stream together got out. */
const isSafe = (text: string): boolean => {
  const said = [
    ...text.matchAll(
      /"(?:content|text|thinking|refusal|reasoning(?:_content)?|arguments)":"((?:[^"\\]|\\.)*)"/g,
    ),
  ]
  return !`${text} ${said.map(([, piece]) => piece).join('')}`.includes(SECRET)
}

describe('a secret in a stream of a chat completion does not get out', () => {
  test.each<[string, readonly unknown[]]>([
    ['split over two deltas', [chunk({ content: FIRST }), chunk({ content: SECOND }), END]],
    [
      'split over two choices of one index in one event',
      [{ choices: [...HALVES].map((content) => ({ index: 0, delta: { content } })) }, END],
    ],
    [
      'split, the second half with the finish reason',
      [chunk({ content: FIRST }), chunk({ content: SECOND }, { finish_reason: 'stop' }), END],
    ],
    ['without an index', [{ choices: [{ delta: { content: SECRET } }] }, END]],
    ['with a null index', [{ choices: [{ index: null, delta: { content: SECRET } }] }, END]],
    ['with text as index', [{ choices: [{ index: '0', delta: { content: SECRET } }] }, END]],
    ['with a fraction as index', [{ choices: [{ index: 0.5, delta: { content: SECRET } }] }, END]],
    ['in the shape of a whole answer', [{ choices: [{ index: 0, message: { content: SECRET } }] }, END]],
    ['in the shape of a text completion', [{ choices: [{ index: 0, text: SECRET }] }, END]],
    ['in a list of parts', [chunk({ content: [{ type: 'text', text: SECRET }] }), END]],
    ['after the end of its choice', [chunk({}, { finish_reason: 'stop' }), chunk({ content: SECRET }), END]],
    ['after the end of the stream', [chunk({ content: 'x' }), END, chunk({ content: SECRET })]],
    ['after something like the end', [chunk({ content: 'x' }), ' [DONE]', chunk({ content: SECRET }), END]],
    [
      'with other channels between',
      [chunk({ content: FIRST, reasoning: 'a' }), chunk({ reasoning: 'b' }), chunk({ content: SECOND }), END],
    ],
    [
      'split over both names of reasoning',
      [chunk({ reasoning_content: FIRST }), chunk({ reasoning: SECOND }), END],
    ],
    ['in a refusal', [chunk({ refusal: FIRST }), chunk({ refusal: SECOND }), END]],
    ['as the role', [chunk({ role: SECRET }), END]],
    ['as the finish reason', [chunk({ content: 'x' }, { finish_reason: SECRET }), END]],
    ['as the service tier', [{ service_tier: SECRET, ...chunk({ content: 'x' }) }, END]],
    [
      'as model, object and obfuscation',
      [{ model: SECRET, object: SECRET, obfuscation: SECRET, ...chunk({ content: 'x' }) }, END],
    ],
    [
      'as the name of an unknown key',
      [{ [SECRET]: 'long enough to be a text, which this is. '.repeat(3), ...chunk({ content: 'x' }) }, END],
    ],
    ['under __proto__', [`{"__proto__":{"choices":[{"index":0,"delta":{"content":"${SECRET}"}}]}}`, END]],
    ['under a doubled key', [`{"choices":[],"choices":[{"index":0,"delta":{"content":"${SECRET}"}}]}`, END]],
    ['in an error', [chunk({ content: 'x' }), { error: { message: SECRET } }]],
    [
      'in a citation',
      [
        chunk({ content: 'x', annotations: [{ type: 'url_citation', url_citation: { title: SECRET } }] }),
        END,
      ],
    ],
    ['in the alternatives of a token', [likely('hi', token('hi', SECRET)), END]],
    [
      'split over the alternatives of two tokens',
      [likely('a', token('a', FIRST)), likely('b', token('b', SECOND)), END],
    ],
    ['in an alternative to nothing', [likely('', token('', SECRET)), END]],
    ['in tokens that are not the text', [likely('hi', token(SECRET, 'x')), END]],
    [
      'in the bytes of a token',
      [likely('hi', { ...token('hi', 'x'), bytes: [...Buffer.from(SECRET)] }), END],
    ],
    ['as the name of a tool', [call({ name: SECRET, arguments: '{}' }), END]],
    [
      'split over tool arguments',
      [call({ name: 'get_weather', arguments: `{"a":"${FIRST}` }), call({ arguments: `${SECOND}"}` }), END],
    ],
    [
      'escaped in tool arguments',
      [call({ name: 'get_weather', arguments: `{"a":"\\u0041${SECRET.slice(1)}"}` }), END],
    ],
    [
      'escaped in arguments that only some parsers read',
      [call({ name: 'get_weather', arguments: `{"a":"\\u0041${SECRET.slice(1)}",}` }), END],
    ],
    [
      'escaped in arguments with a doubled key',
      [call({ name: 'get_weather', arguments: `{"a":"\\u0041${SECRET.slice(1)}","a":1}` }), END],
    ],
    ['as a key of tool arguments', [call({ name: 'get_weather', arguments: `{"${SECRET}":1}` }), END]],
    [
      'in a function call of the old kind',
      [chunk({ function_call: { name: 'get_weather', arguments: SECRET } }), END],
    ],
  ])('%s', async (_what, data) => {
    guard.behave(events(...data))
    const { text } = await streamed({ logprobs: true, top_logprobs: 2 })
    expect([isSafe(text), text.toLowerCase().includes(SECRET.toLowerCase())]).toEqual([true, false])
  })
})

test('a secret as calls of chr over many deltas gets out no further than its first characters', async () => {
  guard.behave(events(...inCalls(SECRET), END))
  const { text } = await streamed()
  const said = [...text.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece).join('')
  const codes = [...said.matchAll(/chr\((\d+)\)/g)].map(([, code]) => Number(code))
  expect(String.fromCharCode(...codes)).toContain('it is')
  expect(String.fromCharCode(...codes)).not.toContain(SECRET.slice(0, 5))
  expect(said).toContain('[REDACTED_AWS_ACCESS_KEY]')
})

test('what is harmless gets out', async () => {
  guard.behave(events(chunk({ content: 'har' }), chunk({ content: 'mless' }, { finish_reason: 'stop' }), END))
  const { text } = await streamed()
  expect(text).toMatch(/harmless|har.*mless/s)
  expect(isSafe(event(chunk({ content: FIRST })) + event(chunk({ content: SECOND })))).toBe(false)
})

describe('a secret behind a trick of framing does not get out', () => {
  test.each<[string, string | Buffer]>([
    [
      'lines that end with a carriage return',
      [FIRST, SECOND].map((content) => `data: ${JSON.stringify(chunk({ content }))}\r\r`).join(''),
    ],
    ['data over two lines', `data: {"choices":[{"index":0,\ndata: "delta":{"content":"${SECRET}"}}]}\n\n`],
    [
      'a string over two lines',
      `data: {"choices":[{"index":0,"delta":{"content":"${FIRST}\ndata: ${SECOND}"}}]}\n\n`,
    ],
    [
      'comments, event names, ids and retries',
      `event: ${SECRET}\nid: ${SECRET}\nretry: 1\n${event(chunk({ content: 'x' }))}: ${SECRET}\n\n`,
    ],
    ['a byte order mark', `\uFEFF${event(chunk({ content: SECRET }))}`],
    ['no blank after the colon', `data:${JSON.stringify(chunk({ content: SECRET }))}\n\n`],
    ['a field name in capitals', `Data: ${JSON.stringify(chunk({ content: SECRET }))}\n\n`],
    ['a zero byte before the field', `\0${event(chunk({ content: SECRET }))}`],
    [
      'a line separator that is none',
      `data: ${JSON.stringify(chunk({ content: 'x' }))}\u2028${event(chunk({ content: SECRET }))}`,
    ],
    ['an event without its end', `data: ${JSON.stringify(chunk({ content: SECRET }))}\n`],
    [
      'invalid UTF-8',
      Buffer.concat([
        Buffer.from('data: {"choices":[{"delta":{"content":"'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from(`${SECRET}"}}]}\n\n`),
      ]),
    ],
    ['UTF-16', Buffer.from(event(chunk({ content: SECRET })), 'utf16le')],
    ['plain text after the end', `data: [DONE]\n\n${SECRET}`],
  ])('%s', async (_what, body) => {
    guard.behave(bytes(body))
    const { text } = await streamed()
    expect([isSafe(text), text.includes(SECRET)]).toEqual([true, false])
  })
})

describe('a tool call that policy did not judge does not get out', () => {
  test.each<[string, readonly unknown[]]>([
    ['that was not offered', [call({ name: 'delete_all', arguments: '{}' }), END]],
    [
      'whose name changes',
      [call({ name: 'get_weather', arguments: '{' }), call({ name: 'delete_all', arguments: '}' }), END],
    ],
    [
      'that becomes a custom one',
      [
        call({ name: 'get_weather', arguments: '{}' }),
        call({}, { custom: { name: 'delete_all', input: 'x' } }),
        END,
      ],
    ],
    [
      'that is of both kinds',
      [call({ name: 'get_weather', arguments: '{}' }, { custom: { name: 'delete_all', input: 'x' } }), END],
    ],
    ['of the old kind', [chunk({ function_call: { name: 'delete_all', arguments: '{}' } }), END]],
    [
      'that comes after the end of its choice',
      [chunk({}, { finish_reason: 'stop' }), call({ name: 'delete_all', arguments: '{}' }), END],
    ],
  ])('%s', async (_what, data) => {
    guard.behave(events(...data))
    expect((await streamed()).text).not.toContain('delete_all')
  })

  test('and a call that is offered, but not complete, does not either', async () => {
    guard.behave(events(call({ name: 'get_weather', arguments: '{"a":' })))
    const { status, text } = await streamed()
    expect([status, text.includes('get_weather')]).toEqual([503, false])
  })
})

test('a choice that was not asked for is not read', async () => {
  guard.behave(events({ choices: [{ index: 1, delta: { content: 'x' } }] }, END))
  expect((await streamed()).status).toBe(502)
  guard.behave(events({ choices: [{ index: 1, delta: { content: 'x' } }] }, END))
  expect((await streamed({ n: 2 })).status).toBe(200)
})

test('each prompt of a text completion has its choices', async () => {
  guard.behave(events({ choices: [{ index: 3, text: 'x' }] }, END))
  const ask = async (prompt: readonly string[]): Promise<number> => {
    const body = { model: 'demo-small', prompt, n: 2, stream: true }
    const answer = await guard.post(body, { path: '/v1/completions' })
    await answer.text()
    return answer.status
  }
  expect([await ask(['a', 'b']), await ask(['a'])]).toEqual([200, 502])
})

describe('in a stream of an Anthropic message', () => {
  const start = {
    type: 'message_start',
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      content: [],
      model: 'm',
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  }
  const finish: readonly Typed[] = [
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ]
  const open = (index: number, content_block: object) => ({
    type: 'content_block_start',
    index,
    content_block,
  })
  const piece = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta })
  const stop = (index: number) => ({ type: 'content_block_stop', index })
  const text = (index: number, said: string) => [
    open(index, { type: 'text', text: '' }),
    piece(index, { type: 'text_delta', text: said }),
    stop(index),
  ]
  const thought = (index: number, said: string) => [
    open(index, { type: 'thinking', thinking: '' }),
    piece(index, { type: 'thinking_delta', thinking: said }),
    stop(index),
  ]
  const tool = (index: number, block: object) => [
    open(index, { type: 'tool_use', id: 't', name: 'get_weather', input: {}, ...block }),
    stop(index),
  ]

  const attacks: [string, readonly Typed[]][] = [
    ['a secret split over two blocks', [...text(0, FIRST), ...text(1, SECOND)]],
    [
      'a secret split over three blocks',
      [...text(0, SECRET.slice(0, 4)), ...text(1, SECRET.slice(4, 12)), ...text(2, SECRET.slice(12))],
    ],
    [
      'a secret split over two blocks with a tool call between',
      [...text(0, FIRST), ...tool(1, {}), ...text(2, SECOND)],
    ],
    ['a whole secret behind letters of the block before', [...text(0, 'abc'), ...text(1, SECRET)]],
    ['a secret split over two thoughts', [...thought(0, FIRST), ...thought(1, SECOND)]],
    [
      'a secret split over two blocks that are open together',
      [
        open(0, { type: 'text', text: '' }),
        open(1, { type: 'text', text: '' }),
        piece(0, { type: 'text_delta', text: FIRST }),
        piece(1, { type: 'text_delta', text: SECOND }),
        stop(0),
        stop(1),
      ],
    ],
    ['a secret as the text of a tool call', tool(0, { text: SECRET })],
    ['a secret in the input that opens a tool call', tool(0, { input: { a: SECRET } })],
    ['a secret as the name of a tool', tool(0, { name: SECRET })],
    [
      'a secret as a stop sequence that nobody asked for',
      [{ type: 'message_delta', delta: { stop_reason: 'stop_sequence', stop_sequence: SECRET } }],
    ],
    [
      'a secret in the message that begins',
      [{ ...start, message: { ...start.message, content: [{ type: 'text', text: SECRET }] } }],
    ],
    [
      'a secret in a citation',
      [
        open(0, { type: 'text', text: '', citations: [{ cited_text: SECRET }] }),
        piece(0, { type: 'citations_delta', citation: { cited_text: SECRET } }),
        stop(0),
      ],
    ],
    ['a secret after the end of the message', [...finish, ...text(0, SECRET)]],
    ['an event with two types', [{ type: 'ping', content_block: { text: SECRET } }, ...text(0, SECRET)]],
  ]

  test.each(attacks)('%s does not get out', async (_what, data) => {
    guard.behave(named(start, ...data, ...finish))
    const body = chat({
      stream: true,
      max_tokens: 50,
      tools: [{ name: 'get_weather', input_schema: { type: 'object' } }],
    })
    const answer = await (await guard.post(body, { path: '/v1/messages' })).text()
    expect([isSafe(answer), answer.includes(SECRET)]).toEqual([true, false])
  })
})
