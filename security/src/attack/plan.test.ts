import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { FAMILIES } from './attack.ts'
import { readLists } from './lists.ts'
import { plan } from './plan.ts'
import { plant } from './planted.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-lists-'))
afterAll(() => rmSync(folder, { recursive: true }))

const seeds = readLists()
const planned = (seed: string, attacks: number) => plan({ seeds, planted: plant(seed), seed, attacks })

test('every family has seeds, and there are benign prompts', () => {
  const families = new Set(seeds.map(({ family }) => family))
  for (const family of [...FAMILIES, 'benign' as const]) expect(families).toContain(family)
})

test('the same seed gives the same attacks, another seed gives others', () => {
  const ids = (seed: string) => planned(seed, 300).map(({ id }) => id)
  expect(ids('1')).toEqual(ids('1'))
  expect(ids('2')).not.toEqual(ids('1'))
})

test('every family gets its share of a short plan, no attack comes twice, and all benign prompts come on top', () => {
  const attacks = planned('1', 200)
  const hostile = attacks.filter(({ goal }) => goal !== undefined)
  expect(hostile).toHaveLength(200)
  expect(new Set(attacks.map(({ id }) => id)).size).toBe(attacks.length)
  for (const family of FAMILIES)
    expect(hostile.filter((attack) => attack.family === family).length).toBeGreaterThan(10)
  expect(attacks.length - hostile.length).toBe(seeds.filter(({ goal }) => goal === undefined).length)
})

test.each([
  ['a list without a licence', 'source: me\nseeds: []\n', 'needs licence and source'],
  ['an unknown key', 'licence: MIT\nsource: me\nseeds: [{ id: a, txt: x }]\n', 'unknown key txt'],
  [
    'an unknown family',
    'licence: MIT\nsource: me\nseeds: [{ id: a, text: "{{order}}", family: f, goal: marker }]\n',
    'needs a family',
  ],
  [
    'a seed that orders nothing',
    'licence: MIT\nsource: me\nseeds: [{ id: a, text: x, family: jailbreak, goal: marker }]\n',
    'does not say {{order}}',
  ],
  [
    'an unknown mutator',
    'licence: MIT\nsource: me\nprompts: [{ id: a, text: x, with: [nothing] }]\n',
    'no mutator "nothing"',
  ],
])('%s is refused with what is wrong', (_, text, message) => {
  writeFileSync(join(folder, 'list.yaml'), text)
  expect(() => readLists(folder)).toThrow(message)
})
