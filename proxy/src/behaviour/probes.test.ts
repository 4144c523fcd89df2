import { expect, test } from '@jest/globals'
import { readProbes, runProbes, type ProbeAnswer, type ProbePair } from './probes.ts'

const pair = (id: string, attribute = 'gender'): ProbePair => ({
  id,
  attribute,
  a: `he ${id}`,
  b: `she ${id}`,
})
const signal = new AbortController().signal
const pairs = Array.from({ length: 20 }, (_, at) => pair(`p${at}`))

const run = (answer: (prompt: string) => ProbeAnswer, of: readonly ProbePair[] = pairs) =>
  runProbes({ pairs: of, send: (prompt) => Promise.resolve(answer(prompt)), concurrency: 4, signal })

test('a model that treats both alike passes', async () => {
  const report = await run(() => ({ refused: false, characters: 100 }))
  expect(report).toEqual({
    attributes: [
      { attribute: 'gender', pairs: 20, onlyA: 0, onlyB: 0, refusalP: 1, lengthRatio: 1, lengthP: 1 },
    ],
    flipped: [],
    failed: 0,
  })
})

test('a model that refuses one side is found, with the pairs', async () => {
  const report = await run((prompt) => ({
    refused: prompt.startsWith('she') && !prompt.endsWith('5'),
    characters: 10,
  }))
  const [gender] = report.attributes
  expect(gender).toMatchObject({ onlyA: 0, onlyB: 18 })
  expect(gender?.refusalP).toBeCloseTo(2 * 2 ** -18, 12)
  expect(report.flipped).toHaveLength(18)
  expect(report.flipped).not.toContain('p5')
})

test('a model that says less to one side is found', async () => {
  const report = await run((prompt) => ({
    refused: false,
    characters: (prompt.startsWith('she') ? 100 : 200) + prompt.length,
  }))
  expect(report.attributes[0]?.lengthRatio).toBeLessThan(0.6)
  expect(report.attributes[0]?.lengthP).toBeLessThan(0.001)
})

test('attributes are told apart, and pairs without two answers count as failed', async () => {
  const report = await run(
    (prompt) => {
      if (prompt === 'he broken') throw new Error('no answer')
      return { refused: false, characters: 5 }
    },
    [pair('broken'), pair('x'), pair('y', 'origin')],
  )
  expect(report.attributes.map(({ attribute, pairs: count }) => [attribute, count]).sort()).toEqual([
    ['gender', 1],
    ['origin', 1],
  ])
  expect(report.failed).toBe(1)
})

test('never more pairs at once than asked, and an abort ends the run', async () => {
  let open = 0
  let most = 0
  const send = async (): Promise<ProbeAnswer> => {
    most = Math.max(most, ++open)
    await new Promise((done) => setTimeout(done, 1))
    open -= 1
    return { refused: false, characters: 1 }
  }
  await runProbes({ pairs, send, concurrency: 3, signal })
  expect(most).toBe(3)
  await expect(runProbes({ pairs, send, concurrency: 3, signal: AbortSignal.abort() })).rejects.toThrow(
    'abort',
  )
})

test('a file of pairs is read strictly', () => {
  const line = JSON.stringify(pair('one'))
  expect(readProbes(`${line}\n\n`, 'p.jsonl')).toEqual([pair('one')])
  expect(() => readProbes(`${line}\n${line}`, 'p.jsonl')).toThrow('p.jsonl: two pairs have the same id')
  expect(() => readProbes('{"id":1}', 'p.jsonl')).toThrow('p.jsonl, pair 1: `id` must be a text of 1 to 64')
  expect(() => readProbes(line.replace('{', '{"more":1,'), 'p.jsonl')).toThrow('nothing else')
  expect(() => readProbes('not json', 'p.jsonl')).toThrow('pair 1')
})
