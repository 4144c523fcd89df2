import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Delta, Lane, TokenLogprob } from '../core/dialect.ts'
import type { Action, Actions } from '../core/policy.ts'
import { compileScanner } from '../text/scanner.ts'
import { cleanWhole, placeholder } from './redact.ts'
import { streamGuard, type StreamRules } from './stream-guard.ts'

const scanner = compileScanner({
  name: 'test',
  tables: [
    {
      category: 'secret',
      rules: {
        'fake-key': { pattern: 'KEY-[A-Z0-9]{8}' },
        'long-key': { pattern: 'KEY-[A-Z0-9]{8}-[A-Z0-9]{8}' },
      },
    },
    { category: 'injection', rules: { phrase: { pattern: 'open sesame', bounds: 'none' } } },
    {
      category: 'personal_data',
      rules: { email: { pattern: '@[a-z]{1,20}\\.[a-z]{2,4}', lead: { class: '[a-z.]', min: 1, max: 20 } } },
    },
  ],
})

const KEY = 'KEY-AAAA1111'
const LONG = 'KEY-AAAA1111-BBBB2222'

const actionsOf = (categories: Actions['categories']): Actions => ({
  rules: {},
  categories,
  default: 'block',
})
const MIXED = actionsOf({ secret: 'redact', injection: 'block', personal_data: 'observe' })

const lane = (choice = 0, part: Lane['part'] = 'content', index = 0): Lane => ({
  key: `${choice}/${part}/${index}`,
  choice,
  part,
  index,
})

const rulesFor = (more: Partial<StreamRules> = {}): StreamRules => {
  const actions = more.actions ?? MIXED
  return {
    open: (holds) => scanner.open(holds),
    actions,
    judge: () => Promise.resolve(actions),
    judgeTool: (_lane, call) => Promise.resolve(call.arguments),
    choices: 1,
    maxHeldChars: 1000,
    maxArgumentChars: 100,
    ...more,
  }
}

const run = async (deltas: readonly Delta[], rules: StreamRules = rulesFor()): Promise<readonly Delta[]> => {
  const guard = streamGuard(rules)
  const out: Delta[] = []
  for (const delta of deltas) out.push(...(await guard.take(delta)))
  return out
}

const say = (...pieces: readonly string[]): readonly Delta[] => [
  ...pieces.map((text): Delta => ({ kind: 'text', lane: lane(), text })),
  { kind: 'finish', choice: 0, reason: 'stop' },
  { kind: 'done' },
]

const textOf = (deltas: readonly Delta[]): string =>
  deltas.map((delta) => (delta.kind === 'text' ? delta.text : '')).join('')

const endOf = (deltas: readonly Delta[]): string =>
  deltas.flatMap((delta) => (delta.kind === 'finish' || delta.kind === 'cut' ? [delta.reason] : [])).join()

const pieces = fc.constantFrom(
  KEY,
  LONG,
  'KEY-',
  'open sesame',
  'open ',
  'ann.b@mail.org',
  '@',
  ' ',
  'word',
  '😀',
  '.',
  '-BBBB2222',
)
const texts = fc.array(pieces, { maxLength: 10 }).map((parts) => parts.join(''))
const cutting = (text: string, cuts: readonly number[]): readonly string[] => {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length))
}

describe('a stream', () => {
  test('says the same wherever it is cut: redacted, blocked and ended like the whole text', () =>
    fc.assert(
      fc.asyncProperty(
        texts,
        fc.array(fc.nat(300), { maxLength: 40 }),
        fc.dictionary(
          fc.constantFrom('secret', 'injection', 'personal_data'),
          fc.constantFrom<Action>('observe', 'redact', 'block'),
        ),
        async (text, cuts, categories) => {
          const actions = actionsOf({
            secret: 'redact',
            injection: 'redact',
            personal_data: 'redact',
            ...categories,
          })
          const cleaned = cleanWhole(
            text,
            scanner.scan(text),
            ({ category }) => actions.categories[category] ?? 'block',
          )
          const out = await run(say(...cutting(text, cuts)), rulesFor({ actions }))
          expect(textOf(out)).toBe(cleaned.text)
          expect(endOf(out)).toBe(cleaned.blocked ? 'content_filter' : 'stop')
        },
      ),
      { numRuns: 1000 },
    ))

  test('lets ordinary words pass at once', async () => {
    const guard = streamGuard(rulesFor())
    expect(textOf(await guard.take({ kind: 'text', lane: lane(), text: 'Ordinary words, ' }))).toBe(
      'Ordinary words, ',
    )
    expect(guard.held()).toBe(0)
  })

  test('gives out nothing of a key until it is complete, and then its placeholder', async () => {
    const out = await run(say('my ', 'KE', 'Y-AAAA', '1111', '!'))
    expect(out.map((delta) => (delta.kind === 'text' ? delta.text : delta.kind))).toEqual([
      'my ',
      `${placeholder('fake-key')}!`,
      'finish',
      'done',
    ])
  })

  test('holds nothing for rules that are only observed', async () => {
    const guard = streamGuard(
      rulesFor({ actions: actionsOf({ secret: 'observe', injection: 'observe', personal_data: 'observe' }) }),
    )
    expect(textOf(await guard.take({ kind: 'text', lane: lane(), text: 'KEY-AAAA' }))).toBe('KEY-AAAA')
  })

  test('each choice and each part is its own text, and a cut choice says nothing more', async () => {
    const deltas: readonly Delta[] = [
      { kind: 'text', lane: lane(0), text: 'KEY-AAAA' },
      { kind: 'text', lane: lane(1), text: '1111 fine ' },
      { kind: 'text', lane: lane(0, 'reasoning'), text: '1111 thought ' },
      { kind: 'text', lane: lane(1), text: 'open sesame ' },
      { kind: 'text', lane: lane(1), text: 'more' },
      { kind: 'finish', choice: 1, reason: 'stop' },
      { kind: 'finish', choice: 0, reason: 'stop' },
    ]
    const out = await run(deltas, rulesFor({ choices: 2 }))
    const said = (choice: number, part: string): string =>
      textOf(
        out.filter(
          (delta) => delta.kind === 'text' && delta.lane.choice === choice && delta.lane.part === part,
        ),
      )
    expect([said(0, 'content'), said(0, 'reasoning'), said(1, 'content')]).toEqual([
      'KEY-AAAA',
      '1111 thought ',
      '1111 fine ',
    ])
    expect(endOf(out)).toBe('content_filter,stop')
  })

  test('is cut when policy denies what was found', async () => {
    const out = await run(
      say('ann@mail.org ', 'and more'),
      rulesFor({ judge: () => Promise.resolve(undefined) }),
    )
    expect(endOf(out)).toBe('content_filter')
    expect(textOf(out)).not.toContain('more')
  })

  test('fails when it would have to hold more than its bound', async () => {
    const held = run(say(LONG.slice(0, 18)), rulesFor({ maxHeldChars: 10 }))
    await expect(held).rejects.toMatchObject({ code: 'guard_failed' })
  })

  test('ends at once, as length, when the budget is spent, and only once', async () => {
    const guard = streamGuard(rulesFor({ choices: 2 }))
    await guard.take({ kind: 'finish', choice: 0, reason: 'stop' })
    expect(guard.cutAll('length')).toEqual([{ kind: 'cut', choice: 1, reason: 'length' }])
    expect(guard.cutAll('length')).toEqual([])
  })
})

describe('a tool call', () => {
  const call = (...parts: readonly string[]): readonly Delta[] => [
    { kind: 'open', lane: lane(0, 'tool'), tool: { id: 'c', name: 'f' } },
    ...parts.map((text): Delta => ({ kind: 'arguments', lane: lane(0, 'tool'), text })),
    { kind: 'finish', choice: 0, reason: 'tool_calls' },
    { kind: 'done' },
  ]

  test('leaves in one piece, after it was judged as a whole', async () => {
    const judged: unknown[] = []
    const out = await run(
      call('{"a":', '"KEY-AAAA', '1111"}'),
      rulesFor({
        judgeTool: (_lane, held) => {
          judged.push(held)
          return Promise.resolve('{"a":"clean"}')
        },
      }),
    )
    expect(judged).toEqual([{ id: 'c', name: 'f', arguments: `{"a":"${KEY}"}` }])
    expect(out.map((delta) => (delta.kind === 'arguments' ? delta.text : delta.kind))).toEqual([
      'open',
      '{"a":"clean"}',
      'close',
      'finish',
      'done',
    ])
  })

  test('that is refused cuts its choice and never shows', async () => {
    const out = await run(call('{}'), rulesFor({ judgeTool: () => Promise.resolve(undefined) }))
    expect(out.map(({ kind }) => kind)).toEqual(['cut', 'done'])
  })

  test.each([
    ['with endless arguments', call('x'.repeat(101))],
    ['whose arguments come without a call', call('{}').slice(1)],
  ])('%s fails the stream', async (_, deltas) => {
    await expect(run(deltas)).rejects.toMatchObject({ code: 'model_answer_invalid' })
  })
})

describe('token probabilities', () => {
  const token = (text: string, ...others: readonly string[]): TokenLogprob => ({
    token: text,
    logprob: -1,
    top: others.map((other) => ({ token: other, logprob: -2 })),
  })
  const spoken = (...tokens: readonly TokenLogprob[]): readonly Delta[] => [
    ...tokens.map((one): Delta => ({ kind: 'text', lane: lane(), text: one.token, logprobs: [one] })),
    { kind: 'finish', choice: 0, reason: 'stop' },
  ]
  const tokensOf = (deltas: readonly Delta[]): string =>
    deltas
      .flatMap((delta) => (delta.kind === 'text' ? (delta.logprobs ?? []) : []))
      .map((one) => one.token)
      .join('|')

  test('leave with their text', async () => {
    expect(tokensOf(await run(spoken(token('one '), token('two '), token('three'))))).toBe('one |two |three')
  })

  test('of the last tokens leave at the end, although their alternatives might have gone on', async () => {
    expect(tokensOf(await run(spoken(token('one ', 'KEY-'), token('two', 'AAAA'))))).toBe('one |two')
  })

  test('never spell what was redacted', async () => {
    expect(tokensOf(await run(spoken(token('a '), token('KEY-AAAA'), token('1111'), token(' b'))))).toBe('a ')
  })

  test('stop when their alternatives spell what would be redacted', async () => {
    const out = await run(
      spoken(
        token('a ', 'KEY-'),
        token('b ', 'AAAA'),
        token('c ', '1111'),
        token('d ', ' '),
        token('e ', ' '),
      ),
    )
    expect(textOf(out)).toBe('a b c d e ')
    expect(tokensOf(out)).toBe('')
  })
})
