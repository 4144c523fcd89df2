import { Ajv } from 'ajv'
import { expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { askLoki, startLoki } from '../demo/loki.ts'
import { findProgram } from '../demo/programs.ts'
import { filledIn } from '../demo/variables.ts'
import { anomaliesOf, type Exchange } from './anomaly.ts'
import { exchangesIn } from './anomalies.ts'
import { prompts } from './attacks.ts'
import { demo } from './board.ts'
import { recordSession, SESSION } from './record.ts'
import { pushSession } from './show.ts'

const LOKI = findProgram('loki')
const live = LOKI === undefined ? test.skip : test
const WHY = LOKI === undefined ? ' (skipped: no loki on the PATH)' : ''

const recorded = readFileSync(SESSION, 'utf8')
const lines = recorded.trim().split('\n')
const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'anomalies.ts'), ...args], { encoding: 'utf8' })

test('the recorded session is what the published schema says, small, and without any text of a prompt', () => {
  const schema = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../proxy/audit.schema.json'), 'utf8'),
  ) as object
  const validate = new Ajv({ strict: false }).compile(schema)
  for (const line of lines) expect([validate(JSON.parse(line)), validate.errors]).toEqual([true, null])
  expect(statSync(SESSION).size).toBeLessThan(300_000)
  expect(lines).toHaveLength(prompts.length)
  for (const { text } of prompts) expect(recorded.includes(text.slice(0, 24))).toBe(false)
})

test('a session recorded now has the same exchanges in the same order, and twice is the same', async () => {
  const shape = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; time: string; client: string; texts: unknown[] })
      .map(({ id, time, client }) => ({ id, time, client }))
  const first = await recordSession()
  expect(shape(first)).toEqual(shape(recorded))
  expect(await recordSession()).toBe(first)
}, 60_000)

test('the anomalies of the session are those of the caller who attacks, and none of the one who works', () => {
  const { status, stdout } = run('--json', SESSION)
  expect(status).toBe(1)
  const found = (JSON.parse(stdout) as { kind: string; subject: string }[]).map(
    ({ kind, subject }) => `${kind} ${subject}`,
  )
  for (const kind of ['kept-trying', 'slipped-through', 'hidden-text', 'odd-length'])
    expect(found).toContain(`${kind} developer-1`)
  expect(found).toContain('shared-text several')
  expect(found.filter((one) => one.endsWith('user-1'))).toEqual([])
})

test('a log without anything odd ends with 0, one that is cut short with 2 and the number of the line', () => {
  const quiet = `${lines.filter((line) => line.includes('"findings":[]') && line.includes('user-1')).join('\n')}\n`
  const script = join(import.meta.dirname, 'anomalies.ts')
  const fed = (input: string) => spawnSync(process.execPath, [script], { input, encoding: 'utf8' })
  expect(fed(quiet)).toMatchObject({ status: 0 })
  const cut = fed(recorded.slice(0, -100))
  expect(cut).toMatchObject({ status: 2, stdout: '' })
  expect(cut.stderr).toMatch(/^line 28 is not JSON/)
})

const exchange = (more: Partial<Exchange>): Exchange => ({
  id: 'x',
  at: 0,
  subject: 'someone',
  route: 'openai.chat',
  outcome: 'allowed',
  reasons: [],
  findings: [],
  texts: [],
  ...more,
})
const refused = (at: number): Exchange => exchange({ at, outcome: 'refused', reasons: ['content_blocked'] })
const MINUTE = 60_000

test('refusals count when they are close, and what is allowed counts when it is new and soon after', () => {
  const kinds = (...given: readonly Exchange[]) => anomaliesOf(given).map(({ kind }) => kind)
  expect(kinds(...[0, 1, 2, 3, 4].map((at) => refused(at * MINUTE)))).toEqual(['kept-trying'])
  expect(kinds(...[0, 1, 2, 3, 4].map((at) => refused(at * 3 * MINUTE)))).toEqual([])
  const passes = (at: number, sha256: string) => exchange({ at, texts: [{ length: 9, sha256 }] })
  expect(kinds(refused(0), refused(1), passes(2, 'new'))).toEqual(['slipped-through'])
  expect(kinds(refused(0), refused(1), passes(11 * MINUTE, 'new'))).toEqual([])
  expect(kinds(passes(0, 'old'), refused(1), refused(2), passes(3, 'old'))).toEqual([])
})

test('other lines of the log are passed over', async () => {
  expect(
    await exchangesIn(Readable.from(['{"v":1,"seq":1,"type":"open"}\n', '\n', lines[0] ?? ''])),
  ).toHaveLength(1)
})

live(
  `every panel of the demo's dashboard has records of the session in a real Loki${WHY}`,
  async () => {
    const loki = await startLoki(LOKI ?? '')
    try {
      expect(await pushSession(loki.url)).toBe(prompts.length)
      for (const { title, queries } of demo.rows.flatMap(({ panels }) => panels))
        for (const { expr } of queries) {
          const found = await askLoki(loki.url, filledIn(expr, demo).replaceAll('[5m]', '[1h]'))
          expect([title, found.length > 0]).toEqual([title, true])
        }
    } finally {
      await loki.close()
    }
  },
  120_000,
)
