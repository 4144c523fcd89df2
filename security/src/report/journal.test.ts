import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import type { Attempt } from '../attack/attempt.ts'
import { openJournal, type RunHead } from './journal.ts'
import { openStore } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-journal-'))
afterAll(() => rmSync(folder, { recursive: true }))

const CLI = resolve(import.meta.dirname, '../cli.ts')
const GONE = 2 ** 22 + 1 // above the largest process id of Linux

const head = (id: string): RunHead => ({
  ...{ version: 1, id, at: '2026-11-21T10:00:00.000Z', tool: 'postern', model: 'm', seed: '1', plan: 'p' },
})

const attempt = (verdict: Attempt['verdict']): Attempt => ({
  attack: {
    ...{ id: 'a', family: 'jailbreak', seed: 's', mutators: [], tools: false },
    messages: [{ role: 'user', content: 'the text of the attack' }],
  },
  ...{ verdict, score: 1, status: 200, rules: [], ms: 1 },
})

test('a run whose process is gone is in the store, unfinished, and its half line is left out', () => {
  const store = join(folder, 'gone')
  mkdirSync(store)
  const lines = [
    { version: 1, pid: GONE, head: head('x') },
    {
      target: 'guarded',
      attack: { id: 'a', family: 'jailbreak', seed: 's', mutators: [] },
      verdict: 'succeeded',
    },
    {
      target: 'guarded',
      attack: { id: 'b', family: 'jailbreak', seed: 's', mutators: [] },
      verdict: 'blocked',
    },
  ].map((line) => JSON.stringify(line))
  writeFileSync(join(store, 'running-x.jsonl'), `${lines.join('\n')}\n{"target":"gua`)
  const [run] = openStore(store).runs()
  expect(run?.unfinished).toBe('its process was killed')
  expect(run?.targets.guarded?.families).toEqual({ jailbreak: { attacks: 2, successes: 1 } })
  expect(existsSync(join(store, 'running-x.jsonl'))).toBe(false)
  expect(openStore(store).runs()).toHaveLength(1)
})

test('a run that still goes on is left alone, and its journal holds no text', () => {
  const store = join(folder, 'alive')
  mkdirSync(store)
  const journal = openJournal(store, head('y'))
  journal.note('guarded', attempt('succeeded'))
  expect(openStore(store).runs()).toEqual([])
  expect(readdirSync(store)).toEqual(['running-y.jsonl'])
  journal.end()
  expect(readdirSync(store)).toEqual([])
})

test('the store keeps the last 1,000 runs and the last 20 files of ways in', () => {
  const place = join(folder, 'bounded')
  const store = openStore(place)
  const record = (at: number) => ({ ...head(`r${at}`), targets: {} })
  writeFileSync(
    join(place, 'runs.jsonl'),
    Array.from({ length: 1000 }, (_, at) => `${JSON.stringify(record(at))}\n`).join(''),
  )
  store.add(record(1000))
  expect(store.runs().map(({ id }) => id)).toEqual(expect.arrayContaining(['r1', 'r1000']))
  expect(store.runs()).toHaveLength(1000)
  const planted = {} as Parameters<typeof store.keep>[1]
  for (let at = 10; at < 35; at++) store.keep(`2026${at}`, planted, [attempt('succeeded')])
  const files = readdirSync(place).filter((name) => name.startsWith('worked-'))
  expect(files).toHaveLength(20)
  expect(files).toContain('worked-202634.json')
})

/** A model that answers each request after 50 ms and says when it has answered some. */
const slowModel = async (some: number) => {
  let answered = 0
  let enough = (): void => undefined
  const reached = new Promise<void>((done) => (enough = done))
  const server = createServer((request, response) => {
    request.resume()
    setTimeout(() => {
      response.setHeader('content-type', 'application/json')
      response.end('{"choices":[{"message":{"content":"no"},"finish_reason":"stop"}]}')
      answered += 1
      if (answered === some) enough()
    }, 50)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, reached, close }
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a run that gets %s half-way keeps what it has',
  async (signal) => {
    const model = await slowModel(20)
    const place = join(folder, signal)
    const child = spawn(
      process.execPath,
      [CLI, 'attack', '--target', model.url, '--model', 'm', '--store', place, '--concurrency', '2'],
      { stdio: 'ignore' },
    )
    const gone = new Promise<number | null>((done) => child.once('exit', done))
    await model.reached
    child.kill(signal)
    const code = await gone
    model.close()
    if (signal === 'SIGTERM') expect(code).toBe(1)
    const [run] = openStore(place).runs()
    const sent = run?.targets.guarded?.confusion.attack.allowed ?? 0
    expect(sent).toBeGreaterThan(10)
    expect(sent).toBeLessThan(600)
    expect(run?.unfinished).toBe(signal === 'SIGTERM' ? 'it was stopped by hand' : 'its process was killed')
    expect(readdirSync(place).filter((name) => name.startsWith('running-'))).toEqual([])
  },
  60_000,
)
