import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { nestedJson, textAt } from '../core/edit.ts'
import type { Json } from '../core/json.ts'
import type { Text } from '../core/text.ts'
import { KEY_OF, pointer } from '../core/text.ts'
import { modelExtras } from './model-extras.ts'
import { openaiChat } from './openai-chat.ts'
import { chat, llm } from './simple.ts'
import { strict, table } from './test/dialects.ts'
import { MARK, mutation, unlessRefused } from './test/mutations.ts'
import type { Place } from './test/strings.ts'
import { strings } from './test/strings.ts'

const places = (texts: readonly Text[]): Set<string> => new Set(texts.map(({ path }) => pointer(path)))

/** Strings with the mark that no text covers. Alternatives of tokens are covered by value. */
const uncovered = (body: Json, texts: readonly Text[]): string[] => {
  const covered = places(texts)
  const alternatives = texts.filter(({ path }) => path.includes('top')).map(({ value }) => value)
  const isToken = ({ path, value }: Place): boolean =>
    path.includes('logprobs') && alternatives.some((text) => text.includes(value))
  return strings(body, covered)
    .filter(({ value }) => value.includes(MARK))
    .filter((place) => !covered.has(pointer(place.path)) && !isToken(place))
    .map(({ path }) => pointer(path))
}

/** What the tables allow without its being a text: closed words, names of models, identifiers. */
const closed = new Set(
  (
    'system developer user assistant tool function text refusal custom grammar lark url_citation json_schema ' +
    'json_object auto low content float base64 m small gpt-4o-mini meta-llama/Llama-3.1-8B-Instruct davinci-002 ' +
    'text-embedding-3-small claude-sonnet-4-5 claude ephemeral 1h enabled document search_result thinking ' +
    'redacted_thinking tool_use tool_result char_location text/plain bash_20250124 allowed_tools required object ' +
    'string integer'
  ).split(' '),
)

describe.each(table)('%s', (...[, dialect, bodies, replies]) => {
  test('every string of a request is a text or from a closed set', () => {
    for (const body of bodies) {
      const prompt = dialect.read(body, strict)
      const covered = places(prompt.texts)
      const left = strings(prompt.body, covered)
        .filter(({ path }) => !covered.has(pointer(path)))
        .filter(({ path, value }) => path.at(-1) !== KEY_OF && !closed.has(value))
      expect(left).toEqual([])
      for (const text of prompt.texts) expect(textAt(prompt.body, text.path)).toBe(text.value)
    }
  })

  test('a request with anything anywhere is refused or its texts are all noted', () =>
    fc.assert(
      fc.property(mutation(bodies), fc.boolean(), (body, open) => {
        const options = open
          ? { allowNonText: false, extras: new Set(['extra', ...Object.keys(modelExtras)]) }
          : strict
        const prompt = unlessRefused(() => dialect.read(body, options))
        if (prompt) expect(uncovered(prompt.body, prompt.texts)).toEqual([])
      }),
      { numRuns: 500 },
    ))

  test('an answer with anything anywhere is refused, or what is left of it is all noted', () =>
    fc.assert(
      fc.property(mutation(replies), (body) => {
        const reply = unlessRefused(() => dialect.readReply(body))
        if (!reply) return
        expect(uncovered(reply.body, reply.texts)).toEqual([])
        const written = dialect.writeReply(reply, { edits: [], cuts: new Map(), model: 'm' })
        const noted = reply.texts.map(({ value }) => value).join(' ')
        for (const { value } of strings(written))
          if (value.includes(MARK) && !nestedJson(value)) expect(noted).toContain(value)
      }),
      { numRuns: 500 },
    ))

  test('what is written reads back as the same prompt', () => {
    const again = dialect === llm || dialect === chat ? openaiChat : dialect
    for (const body of bodies) {
      const prompt = dialect.read({ ...body, ...(body['stream'] === true ? { stream: false } : {}) }, strict)
      const changes = { edits: [], model: prompt.model, removeTools: [] }
      expect(again.read(dialect.write(prompt, changes), strict)).toEqual(prompt)
    }
  })

  test('every text of a request can be edited, and only it changes', () => {
    for (const body of bodies) {
      const prompt = dialect.read(body, strict)
      for (const { path, value } of prompt.texts) {
        const edits = [{ path, value: '[REDACTED]' }]
        const written = dialect.write(prompt, { edits, model: prompt.model, removeTools: [] })
        const before = prompt.texts.map((text) => text.value)
        const again = dialect === llm || dialect === chat ? openaiChat : dialect
        const after = again.read(written, strict).texts.map((text) => text.value)
        expect(after).toContain('[REDACTED]')
        expect(after.length).toBe(before.length)
        expect(after.filter((text) => text === value).length).toBe(
          before.filter((text) => text === value).length - 1,
        )
      }
    }
  })

  test('every text of an answer can be edited', () => {
    for (const reply of replies.map((body) => dialect.readReply(body))) {
      for (const { path, value } of reply.texts) {
        const changes = { edits: [{ path, value: '[REDACTED]' }], cuts: new Map(), model: 'm' }
        const written = JSON.stringify(dialect.writeReply(reply, changes))
        if (path.includes('logprobs')) expect(written).not.toContain('top_logprobs":[{')
        else if (dialect !== llm && dialect !== chat) expect(written).toContain('[REDACTED]')
        expect(written).not.toContain(JSON.stringify(JSON.stringify(value)).slice(1, -1))
      }
    }
  })
})
