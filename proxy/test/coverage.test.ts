import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { coverageDocument } from '../src/compose/coverage-document.ts'
import { coverage } from '../src/compose/coverage.ts'
import { composeRoutes, dialects } from '../src/compose/routes.ts'
import { startTestGuard, type TestGuard } from './start.ts'

interface Row {
  readonly direction: string
  readonly part: string
  readonly treatment: string
  readonly permit?: string
}
interface Entry {
  readonly name: string
  readonly inspected: boolean
  readonly nonText?: boolean
  readonly extras?: readonly string[]
  readonly why?: string
  readonly warning?: string
  readonly rows?: readonly Row[]
}

const inspection = { allowNonText: true, extras: ['top_k', 'chat_template', 'my_own'] }
const routes = [{ name: 'raw', path: '/raw', method: 'POST', inspect: false, upstream: 'demo' }]
let guard: TestGuard
let served: readonly Entry[]

beforeAll(async () => {
  guard = await startTestGuard({ config: { inspection, routes } })
  served = (await (await fetch(`${guard.adminUrl}/coverage`)).json()) as readonly Entry[]
})
afterAll(() => guard.close())

const treatments = (name: string, place: string): readonly string[] =>
  (served.find((entry) => entry.name === name)?.rows ?? [])
    .filter(({ direction, part }) => direction === 'request' && part === place)
    .map(({ treatment }) => treatment)

test('the admin port serves the table that the readers make', () => {
  const config = guard.config()
  expect(served).toEqual(coverage(composeRoutes(config), config))
  expect(served.map(({ name }) => name)).toEqual(composeRoutes(config).map(({ name }) => name))
  for (const [name, { coverage: rows }] of dialects) {
    const entry = served.find((one) => one.name === name)
    const own = (entry?.rows ?? []).filter(({ part }) => !part.startsWith('/my_own'))
    expect(own.map(({ direction, part }) => [direction, part])).toEqual(
      rows.map(({ direction, part }) => [direction, part]),
    )
    for (const [index, row] of rows.entries()) if (!row.permit) expect(own[index]).toEqual(row)
  }
})

test('what the operator allowed shows as it passes, and what not as refused', () => {
  expect(treatments('openai.chat', '/chat_template')).toEqual(['scanned'])
  expect(treatments('openai.chat', '/my_own')).toEqual(['scanned'])
  expect(treatments('openai.chat', '/my_own/**')).toEqual(['scanned'])
  expect(treatments('openai.chat', '/guided_regex')).toEqual(['refused'])
  expect(treatments('anthropic.messages', '/top_k')).toEqual(['number'])
  expect(treatments('simple.llm', '/chat_template')).toEqual([])
  const image = '/messages/*[role=user]/content/*[type=input_audio]/input_audio/data'
  expect(treatments('openai.chat', image)).toEqual(['passed'])
  expect(served.find(({ name }) => name === 'openai.chat')).toMatchObject({
    nonText: true,
    extras: inspection.extras,
  })
  expect(served.find(({ name }) => name === 'simple.llm')).toMatchObject({ nonText: false, extras: [] })
})

test('by default nothing passes uninspected that came from a caller', () => {
  const nothing = { inspection: { allowNonText: false, extras: [] } }
  const entries = coverage(composeRoutes(guard.config()), nothing) as readonly unknown[] as readonly Entry[]
  const passed = entries
    .flatMap(({ rows = [] }) => rows)
    .filter(({ direction, treatment }) => direction === 'request' && treatment === 'passed')
  expect(passed).toEqual([])
})

test('a route that inspects nothing says so, or why it need not', () => {
  expect(served.find(({ name }) => name === 'raw')).toMatchObject({
    inspected: false,
    warning: expect.stringContaining('Nothing is inspected'),
  })
  for (const { inspected, why, warning, rows } of served) {
    expect([inspected, why !== undefined || warning !== undefined]).toEqual([
      rows !== undefined,
      rows === undefined,
    ])
  }
})

test('the committed document is the current one', () => {
  expect(readFileSync(new URL('../docs/coverage.md', import.meta.url), 'utf8')).toBe(coverageDocument())
})
