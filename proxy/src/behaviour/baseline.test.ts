import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json, JsonObject } from '../core/json.ts'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { compareBaseline, freezeBaseline, parseBaseline, readBaseline } from './baseline.ts'
import { behaviour } from './behaviour.ts'
import { exchange } from './test/facts.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-baseline-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What a guard learned from exchanges whose answers have these lengths. */
const learned = (lengths: readonly number[]): Json => {
  const watched = behaviour(
    {
      models: ['small'],
      tenants: ['acme'],
      roles: [],
      tools: ['search'],
      entropyThresholdBits: 2,
      baseline: undefined,
      window: { exchanges: 1000, ms: 1e9 },
      groups: [],
      groupWindowMs: 1e9,
      maxKeys: 10,
      intervalMs: 60_000,
      leastRate: 10,
    },
    { meter: noMeter, log: noLog, now: () => new Date('2026-11-21T12:00:00Z') },
  )
  lengths.forEach((characters, at) =>
    watched.seen(
      exchange(
        { at, offered: ['search'] },
        { characters, called: [{ name: 'search', arguments: ['query'] }] },
      ),
    ),
  )
  return watched.snapshot()
}

const lengths = Array.from({ length: 400 }, (_, at) => 50 + ((at * 131) % 900))

test('a snapshot is frozen, read back and compared: the same traffic is stable, other traffic shifted', async () => {
  const path = join(folder, 'baseline.json')
  await freezeBaseline(path, learned(lengths))
  const baseline = await readBaseline(path)
  expect(baseline.roles).toEqual([{ role: 'user', tools: { search: ['query'] } }])
  const [same] = compareBaseline(baseline, learned(lengths))
  expect(same?.drifts.map(({ verdict }) => verdict)).toEqual(new Array(7).fill('stable'))
  const [other] = compareBaseline(baseline, learned(lengths.map((length) => length * 20)))
  const shifted = other?.drifts.filter(({ verdict }) => verdict === 'shifted')
  expect(shifted?.map(({ feature }) => feature)).toEqual(['length'])
  expect(shifted?.[0]?.ks?.pValue).toBeLessThan(1e-6)
})

test('the file is its owner’s only, replaces the last one whole, and leaves nothing beside it', async () => {
  const path = join(folder, 'baseline.json')
  await freezeBaseline(path, learned(lengths))
  await freezeBaseline(path, learned(lengths.slice(0, 100)))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['baseline.json'])
  expect((await readBaseline(path)).profiles[0]?.pane.exchanges).toBe(100)
})

test('nothing seen is no baseline, and a failed freeze keeps the last one', async () => {
  const path = join(folder, 'baseline.json')
  await freezeBaseline(path, learned(lengths))
  const before = readFileSync(path, 'utf8')
  await expect(freezeBaseline(path, learned([]))).rejects.toThrow('let traffic pass')
  await expect(freezeBaseline(join(folder, 'none', 'baseline.json'), learned(lengths))).rejects.toThrow(
    'ENOENT',
  )
  expect(readFileSync(path, 'utf8')).toBe(before)
  expect(readdirSync(folder)).toEqual(['baseline.json'])
})

const good = learned(lengths) as JsonObject
const withPane = (more: JsonObject): Json => {
  const [profile] = good['profiles'] as readonly JsonObject[]
  return { ...good, profiles: [{ ...profile, pane: { ...(profile!['pane'] as JsonObject), ...more } }] }
}

test.each<readonly [string, Json]>([
  ['not a JSON object', []],
  ['not version 1', { ...good, version: 2 }],
  ['`made` is no time', { ...good, made: 'yesterday' }],
  ['`profiles` is no list', { ...good, profiles: {} }],
  ['`roles` is no list', { ...good, roles: new Array(300).fill({}) }],
  ['`exchanges` is no count', withPane({ exchanges: -1 })],
  ['a histogram has not 21 counts', withPane({ length: [1, 2] })],
  ['a histogram has a word without a count', withPane({ language: { en: 'many' } })],
  ['a sample has no mean or spread', withPane({ samples: { length: {}, entropy: {} } })],
  [
    'a role has too many tools, or one that is no name',
    { ...good, roles: [{ role: 'r', tools: { 'a b': [] } }] },
  ],
])('a file in which something is wrong says what (%s) and what to do', (what, json) => {
  expect(() => parseBaseline(json, 'b.json')).toThrow(
    new RegExp(`^b\\.json: ${what}.*; freeze a new baseline$`),
  )
})

test('a file that is no JSON is an error', async () => {
  const path = join(folder, 'baseline.json')
  writeFileSync(path, '{"version":1')
  await expect(readBaseline(path)).rejects.toThrow('JSON')
})
