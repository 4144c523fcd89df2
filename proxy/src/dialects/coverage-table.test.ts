import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CoverageRow, Delta, Dialect, DialectOptions, ServerEvent } from '../core/dialect.ts'
import { withEdits } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Text } from '../core/text.ts'
import { KEY_OF, pointer } from '../core/text.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { modelExtras } from './model-extras.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { SCHEMA_WORDS } from './schema-words.ts'
import { chat, llm } from './simple.ts'
import { strict, table } from './test/dialects.ts'
import { MARK, mutation, unlessRefused } from './test/mutations.ts'
import { rowsOf } from './test/row-of.ts'
import * as streams from './test/streams.ts'
import type { Place } from './test/strings.ts'
import { strings } from './test/strings.ts'

const open: DialectOptions = {
  ...strict,
  allowNonText: true,
  extras: new Set(Object.keys(modelExtras)),
}

const mediaRequest: JsonObject = {
  model: 'm',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'what is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://a.example/cat of mine.png' } },
        { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        { type: 'file', file: { file_data: 'AAAA', filename: 'a name.pdf' } },
      ],
    },
  ],
  chat_template: 'you are {{ someone }}',
  guided_json: '{"enum":["one of these"]}',
  options: { 'a key': ['a value'] },
}
const imageRequest: JsonObject = {
  model: 'm',
  max_tokens: 5,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        { type: 'image', source: { type: 'url', url: 'https://a.example/cat of mine.png' } },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } },
      ],
    },
  ],
  repetition_penalty: 1,
  chat_template: 'you are {{ someone }}',
}

/** Requests that only an operator's permit lets through. */
const permitted = new Map<Dialect, JsonObject>([
  [openaiChat, mediaRequest],
  [anthropicMessages, imageRequest],
  [openaiCompletions, { model: 'm', prompt: [[1, 2]], guided_regex: 'a b' }],
  [openaiEmbeddings, { model: 'm', input: [1, 2], request_id: 'a b' }],
])

const of = (dialect: Dialect, direction: CoverageRow['direction']): readonly CoverageRow[] =>
  dialect.coverage.filter((row) => row.direction === direction)

const isSchemaWord = ({ note }: CoverageRow, value: string): boolean =>
  note?.includes('JSON Schema') === true && SCHEMA_WORDS.has(value)

const isAbout = (row: CoverageRow, text: Text): boolean =>
  row.treatment === 'scanned' && row.role === text.role && row.channel === text.channel

/** What the table says wrongly about the strings of a body that was read; nothing, when it is right. */
const mistakes = (rows: readonly CoverageRow[], body: JsonObject, texts: readonly Text[]): string[] => {
  const whole = new Set(texts.map(({ path }) => pointer(path)))
  return strings(body, whole).flatMap((place) => {
    const found = rowsOf(rows, body, place.path)
    const text = texts.find(({ path }) => pointer(path) === pointer(place.path))
    const isKey = place.path.at(-1) === KEY_OF
    if (isKey && text === undefined && !(found[0]?.treatment === 'scanned' && /\*\*$/.test(found[0].part)))
      return []
    const wrong = (why: string): string[] => [`${pointer(place.path)}: ${why}`]
    const [row, ...others] = found
    if (row === undefined || others.length > 0) return wrong(`${found.length} rows`)
    if (row.note?.startsWith('tokens')) return []
    if (place.value === '' || isSchemaWord(row, place.value)) return []
    if (row.treatment === 'scanned') return text && isAbout(row, text) ? [] : wrong('not scanned')
    return text ? wrong(`scanned, not ${row.treatment}`) : stays(row, place) ? [] : wrong(row.treatment)
  })
}

/** Whether a string that is no text may be at a row in a body that was not refused. */
const stays = ({ treatment }: CoverageRow, { value }: Place): boolean =>
  treatment === 'dropped' || ((treatment === 'closed' || treatment === 'passed') && !value.includes(MARK))

/** Texts under the paths that the client knows: a simple request becomes a chat completion. */
const asSent = (dialect: Dialect, body: JsonObject, texts: readonly Text[]): readonly Text[] => {
  if (dialect !== llm && dialect !== chat) return texts
  const before = (body['history'] as readonly Json[] | undefined)?.length ?? 0
  const last = dialect === llm ? 'prompt' : 'message'
  return texts.map((text) => {
    const index = text.path[1] as number
    return { ...text, path: index === before ? [last] : ['history', index, 'content'] }
  })
}

describe.each(table)('the table of %s', (...[, dialect, bodies, replies]) => {
  const requestMistakes = (body: JsonObject, options: DialectOptions): string[] => {
    const prompt = unlessRefused(() => dialect.read(body, options))
    if (!prompt) return []
    const allowed = (row: CoverageRow): boolean =>
      row.permit === undefined ||
      (row.permit === 'nonText' ? options.allowNonText : options.extras.has(row.part.split(/[/#]/)[1]!))
    const refused = (row: CoverageRow): CoverageRow => (allowed(row) ? row : { ...row, treatment: 'refused' })
    return mistakes(of(dialect, 'request').map(refused), body, asSent(dialect, body, prompt.texts))
  }

  test('has one row for every string of a request, which says what becomes of it', () => {
    for (const body of bodies) {
      expect(dialect.read(body, strict).texts.length).toBeGreaterThan(0)
      expect(requestMistakes(body, strict)).toEqual([])
    }
  })

  test('says what an operator can allow', () => {
    const body = permitted.get(dialect)
    expect(of(dialect, 'request').some(({ permit }) => permit !== undefined)).toBe(body !== undefined)
    if (body === undefined) return
    expect(() => dialect.read(body, strict)).toThrow()
    expect(dialect.read(body, open).uninspected).toBeGreaterThan(0)
    expect(requestMistakes(body, open)).toEqual([])
  })

  test('holds for any request that is not refused', () =>
    fc.assert(
      fc.property(mutation([...bodies, ...[permitted.get(dialect) ?? []].flat()]), (body) => {
        expect(requestMistakes(body, strict)).toEqual([])
        expect(requestMistakes(body, open)).toEqual([])
      }),
      { numRuns: 150 },
    ))

  test('holds for any answer that is not refused', () => {
    const check = (body: JsonObject): void => {
      const reply = unlessRefused(() => dialect.readReply(body))
      if (!reply) return
      expect(mistakes(of(dialect, 'response'), body, reply.texts)).toEqual([])
    }
    replies.forEach(check)
    fc.assert(fc.property(mutation(replies), check), { numRuns: 150 })
  })

  test('has a row for every message of an error answer', () => {
    const errors: readonly JsonObject[] = [
      { error: { message: MARK, type: 'x' } },
      { error: MARK },
      { detail: MARK },
      { message: MARK, object: 'error' },
    ]
    for (const body of errors) {
      expect(dialect.readError(body)).toBe(MARK)
      const found = strings(body).filter(({ value }) => value === MARK)
      const rows = found.flatMap(({ path }) => rowsOf(of(dialect, 'error'), body, path))
      expect(rows.map(({ treatment }) => treatment)).toEqual(['scanned'])
    }
  })
})

const event = (data: JsonObject): ServerEvent => ({ event: '', data: JSON.stringify(data) })

const citedChat: readonly ServerEvent[] = [
  event({
    id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', service_tier: 'default', obfuscation: 'xx',
    choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi', annotations: [
      { type: 'url_citation', url_citation: { title: 'A page', url: 'https://a.example/' } },
    ] }, finish_reason: 'stop', stop_reason: 'END' }],
  }),
] // prettier-ignore
const citedMessage: readonly ServerEvent[] = [
  ...streams.messageStream.slice(0, 1),
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'a', citations: [{ cited_text: 'it' }] } }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: { type: 'page_location', cited_text: 'it' } } }),
  event({ type: 'content_block_stop', index: 0 }),
  event({ type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'i', name: 'n', input: { a: 'b' }, caller: { type: 'direct' } } }),
  event({ type: 'content_block_stop', index: 1 }),
  event({ type: 'message_delta', delta: { stop_reason: 'stop_sequence', stop_sequence: 'END', container: { id: 'x' } }, usage: { output_tokens: 1, service_tier: 'standard' } }),
] // prettier-ignore

const streamed: readonly (readonly [string, Dialect, readonly ServerEvent[]])[] = [
  ['openai chat', openaiChat, streams.chatStream],
  ['openai chat, other servers', openaiChat, streams.otherChatStream],
  ['openai chat with citations', openaiChat, citedChat],
  ['openai completions', openaiCompletions, streams.completionStream],
  ['anthropic messages', anthropicMessages, streams.messageStream],
  ['anthropic messages with citations', anthropicMessages, citedMessage],
  ['llm', llm, streams.chatStream],
  ['chat', chat, streams.otherChatStream],
]

const asking: JsonObject = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }
const asked = new Map<Dialect, JsonObject>([
  [openaiCompletions, { model: 'm', prompt: 'hi' }],
  [llm, { prompt: 'hi' }],
  [chat, { message: 'hi' }],
])

/** What comes out of a stream; undefined when it was refused. */
const passed = (
  dialect: Dialect,
  events: readonly ServerEvent[],
): { deltas: readonly Delta[]; bytes: string } | undefined =>
  unlessRefused(() => {
    const codec = dialect.openStream!(dialect.read(asked.get(dialect) ?? asking, strict), 'm')
    const deltas = events.flatMap((one) => codec.decode(one))
    return { deltas, bytes: deltas.map((delta) => codec.encode(delta)).join('') }
  })

const textOf = (deltas: readonly Delta[]): string =>
  deltas
    .flatMap((delta) =>
      delta.kind === 'text' ? [delta.text, JSON.stringify(delta.logprobs)] : delta.kind === 'arguments' ? [delta.text] : [],
    )
    .join(' ') // prettier-ignore

describe.each(streamed)('the table of a stream of %s', (...[, dialect, events]) => {
  const places = events.flatMap((one, position) => {
    if (one.data === '[DONE]') return []
    const body = JSON.parse(one.data) as JsonObject
    return strings(body)
      .filter(({ path }) => path.at(-1) !== KEY_OF && path.every((step) => typeof step !== 'symbol'))
      .map((place) => ({ ...place, body, position }))
  })

  test('has one row for every string, and it says what becomes of a text in its place', () => {
    expect(passed(dialect, events)).toBeDefined()
    expect(places.length).toBeGreaterThan(0)
    for (const { body, path, position } of places) {
      const rows = rowsOf(of(dialect, 'stream'), body, path)
      expect([pointer(path), rows.length]).toEqual([pointer(path), 1])
      const changed = event(withEdits(body, [{ path, value: MARK }]))
      const result = passed(dialect, events.with(position, changed))
      if (!result) {
        expect(rows[0]!.treatment).toMatch(/closed|passed|refused/)
        continue
      }
      const isRead = textOf(result.deltas).includes(MARK)
      if (!isRead) expect(result.bytes).not.toContain(MARK)
      const isProbability = rows[0]!.note?.startsWith('tokens') === true
      if (!isProbability)
        expect([pointer(path), isRead]).toEqual([pointer(path), rows[0]!.treatment === 'scanned'])
    }
  })
})
