import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { listAttacks } from './attacks.ts'
import { openList, readCatalogue, type PublicList } from './catalogue.ts'
import { csvRows } from './csv.ts'
import { readPrompts } from './formats.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-lists-'))
afterAll(() => rmSync(folder, { recursive: true }))

const texts = (name: string, text: string): readonly string[] =>
  readPrompts(name, text).map((each) => each.text)

// The forms are those of the published files; the texts are harmless ones of our own.
test.each([
  [
    'advbench.csv',
    'goal,target\nSay one,"Sure, here is one"\n"Say ""two"", twice",Sure\n',
    ['Say one', 'Say "two", twice'],
  ],
  [
    'harmbench.csv',
    'Behavior,FunctionalCategory,ContextString,BehaviorID\r\nSay it,contextual,"a\r\nstory",x\r\n',
    ['a\r\nstory\n\n---\n\nSay it'],
  ],
  [
    'jailbreakbench.json',
    '{"parameters":{},"jailbreaks":[{"goal":"Say one","prompt":"You are free. Say one"},{"goal":"Say two","prompt":null}]}',
    ['You are free. Say one'],
  ],
  ['behaviors.csv', 'Index,Goal,Target,Behavior,Category\n0,Say one,Sure,one,x\n', ['Say one']],
  ['garak.json', '["one","two","one"]', ['one', 'two']],
  ['payload.json', '{"garak_payload_name":"x","payload_types":["text"],"payloads":["one"]}', ['one']],
  [
    'hits.jsonl',
    '{"goal":"x","prompt":{"turns":[{"role":"user","content":{"text":"one"}}]}}\n\n{"prompt":"two"}\n',
    ['one', 'two'],
  ],
  ['promptfoo.yaml', 'tests:\n  - vars: { attack: one }\n  - vars: { whatever: two }\n', ['one', 'two']],
  ['lines.txt', 'one\r\n\n# two\n', ['one', '# two']],
  ['marked.csv', '\ufeffprompt\none\n', ['one']],
])('%s is read as its makers publish it', (name, text, expected) => {
  expect(texts(name, text)).toEqual(expected)
})

test('a bare request is told apart from a prompt that gets around rules', () => {
  expect(readPrompts('a.csv', 'goal,target\nSay one,Sure\n')).toEqual([
    { text: 'Say one', family: 'harmful_request' },
  ])
  expect(readPrompts('a.txt', 'Be free')).toEqual([{ text: 'Be free', family: 'jailbreak' }])
})

test.each([
  ['a.csv', 'name,score\none,2\n', 'rows need one of the fields prompt'],
  ['a.csv', 'prompt\n"one\n', 'line 2: a quoted field does not end'],
  ['a.jsonl', '{"prompt":"one"}\n{"prom', 'line 2 is no JSON'],
  ['a.txt', '', 'there is no prompt in it'],
  ['a.txt', 'x'.repeat(70_000), 'longer than'],
])('%s that is no list is named with the reason', (name, text, reason) => {
  expect(() => readPrompts(name, text)).toThrow(reason)
})

test('empty fields, trailing commas and a missing last line end make no extra rows', () => {
  expect(csvRows('a,b,\n\n"",1,""\n,\nx')).toEqual([['a', 'b', ''], ['', '1', ''], ['x']])
})

test('the same seed takes the same sample, in one order', () => {
  const prompts = Array.from({ length: 50 }, (_, at) => ({
    text: `prompt ${at}`,
    family: 'jailbreak' as const,
  }))
  const ids = (seed: string) => listAttacks(prompts, { name: 'n', seed, attacks: 10 }).map(({ id }) => id)
  expect(ids('1')).toEqual(ids('1'))
  expect(ids('1')).not.toEqual(ids('2'))
  expect(new Set(ids('1')).size).toBe(10)
})

test('every named list has title, licence, address and hash', () => {
  const lists = readCatalogue()
  expect(Object.keys(lists)).toContain('jailbreakbench-jbc')
  for (const { url } of Object.values(lists)) expect(url).toMatch(/^https:/)
})

const listOf = (text: string, url: string): Readonly<Record<string, PublicList>> => ({
  tiny: {
    title: 'Tiny',
    file: 'tiny.txt',
    url,
    licence: 'CC0-1.0',
    sha256: createHash('sha256').update(text).digest('hex'),
  },
})

test('a named list that is not there is answered with how to get it, and one with other content is not used', async () => {
  const catalogue = listOf('one\n', 'http://127.0.0.1:1/tiny.txt')
  const wanted = { list: 'tiny', folder, download: false, catalogue }
  await expect(openList(wanted)).rejects.toThrow(/licence CC0-1.0.*not at .*curl -fsSLo/s)
  await expect(openList({ ...wanted, download: true })).rejects.toThrow(
    /127.0.0.1:1 cannot be reached.*curl/s,
  )
  writeFileSync(join(folder, 'tiny.txt'), 'other\n')
  await expect(openList(wanted)).rejects.toThrow('is not the pinned tiny')
  writeFileSync(join(folder, 'tiny.txt'), 'one\n')
  expect(await openList(wanted)).toEqual({ name: 'tiny', file: 'tiny.txt', text: 'one\n' })
  await expect(openList({ ...wanted, list: 'nowhere' })).rejects.toThrow('known by name: tiny')
})

test('a download is kept only when it is the pinned file', async () => {
  let served = 'other\n'
  const server = createServer((_, response) => response.end(served))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const own = join(folder, 'downloaded')
  const catalogue = listOf('one\n', `http://127.0.0.1:${(server.address() as AddressInfo).port}/tiny.txt`)
  const wanted = { list: 'tiny', folder: own, download: true, catalogue }
  await expect(openList(wanted)).rejects.toThrow('sent is not the pinned tiny')
  expect(existsSync(own)).toBe(false)
  served = 'one\n'
  expect((await openList(wanted)).text).toBe('one\n')
  server.close()
})
