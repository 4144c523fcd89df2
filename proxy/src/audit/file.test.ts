import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { appendFileSync, mkdirSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { AuditLog } from '../core/audit.ts'
import { noMeter, type MetricName } from '../core/metrics.ts'
import { fileAudit, type FileAuditOptions } from './file.ts'
import { beginOf, fileOptions, quiet, recordOf } from './samples.ts'
import { verifyAudit } from './verify.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-audit-'))
  path = join(folder, 'audit.log')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (more: Partial<FileAuditOptions> = {}) => fileAudit(fileOptions(path, more), quiet)

const exchange = async (log: AuditLog, id: string) => {
  await log.begin(beginOf(id))
  await log.end(recordOf(id))
}

const many = (log: AuditLog, from: number, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => exchange(log, `x${String(from + i)}`)))

type Line = Record<string, unknown> & { readonly seq: number; readonly type: string; readonly id?: string }

const linesOf = (file = path) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

const types = (file = path) => linesOf(file).map(({ type }) => type)

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const until = async (holds: () => boolean) => {
  for (let i = 0; i < 600 && !holds(); i++) await sleep(25)
  expect(holds()).toBe(true)
}

test('a begin is in the file before its promise resolves, and so is the one record of its exchange', async () => {
  const log = await open()
  await log.begin(beginOf('x1'))
  expect(linesOf().at(-1)).toMatchObject({ v: 1, seq: 2, type: 'begin', id: 'x1', route: 'openai.chat' })
  await log.end(recordOf('x1'))
  const { decisionsOmitted, served, tools, flags, entropy, ...written } = recordOf('x1')
  expect([decisionsOmitted, served, tools, flags, entropy]).toEqual([0, null, [], [], null])
  expect(linesOf().at(-1)).toMatchObject({ ...written, seq: 3, type: 'exchange' })
  await log.close()
  expect(types()).toEqual(['open', 'begin', 'exchange', 'close'])
  expect(await verifyAudit(path)).toMatchObject({ ok: true, begun: 1, exchanges: 1, lost: 0, unfinished: 0 })
})

test('the chain goes on over restarts, and a clean restart finds nothing to repair', async () => {
  for (let i = 0; i < 3; i++) {
    const log = await open()
    await exchange(log, `x${String(i)}`)
    await log.close()
  }
  expect(types()).toEqual(['open', ...Array.from({ length: 3 }, () => ['begin', 'exchange', 'close']).flat()])
  expect((await verifyAudit(path)).ok).toBe(true)
})

test('an exchange of the last guard without an end is recorded as lost', async () => {
  const log = await open()
  await log.begin(beginOf('gone'))
  await exchange(log, 'whole')
  await log.close()
  await (await open()).close()
  expect(linesOf().filter(({ type }) => type === 'lost')).toMatchObject([{ id: 'gone', begun: 2 }])
  expect(await verifyAudit(path)).toMatchObject({ ok: true, lost: 1, unfinished: 0 })
})

test('only what the record type says is written, bounded, with foreign keys left out of paths', async () => {
  const log = await open()
  const record = recordOf('x1')
  const finding = {
    ...record.findings[0]!,
    path: '/messages/2/tool_calls/0/function/arguments#/sk-secret/~keysk-secret',
  }
  const text = { ...record.texts[0]!, value: 'the prompt itself' }
  await log.end({
    ...record,
    ...{ prompt: 'the prompt itself' },
    model: 'm'.repeat(100_000),
    findings: Array.from({ length: 1000 }, () => finding),
    texts: [text],
  })
  await log.close()
  const raw = readFileSync(path, 'utf8')
  expect(raw).not.toContain('the prompt itself')
  expect(raw).not.toContain('sk-secret')
  const line = linesOf().find(({ type }) => type === 'exchange')
  expect(line).toMatchObject({ findings_omitted: 744, model: 'm'.repeat(256) })
  expect(raw).toContain('/messages/2/tool_calls/0/function/arguments#/*/~key')
  expect(Math.max(...raw.split('\n').map((one) => one.length))).toBeLessThan(100_000)
})

test('hostile ids and names stay inside their JSON strings', async () => {
  const log = await open()
  const id = '"},\n{"v":1\u2028\ud800'
  await log.begin({ ...beginOf(id), model: '\ud800\n"},{' })
  await log.end(recordOf(id))
  await log.close()
  expect(linesOf().map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  expect(await verifyAudit(path)).toMatchObject({ ok: true, unfinished: 0 })
})

test('many at once share writes, in order and each exactly once', async () => {
  const commits: number[] = []
  const meter = {
    ...noMeter,
    observe: (name: MetricName, value: number) => {
      if (name === 'postern_audit_commit_seconds') commits.push(value)
    },
  }
  const log = await fileAudit(fileOptions(path), { ...quiet, meter })
  await many(log, 0, 500)
  await log.close()
  expect(commits.length).toBeLessThan(100)
  const ids = linesOf()
    .filter(({ type }) => type === 'exchange')
    .map(({ id }) => id)
  expect(new Set(ids).size).toBe(500)
  expect(ids).toHaveLength(500)
  expect(await verifyAudit(path)).toMatchObject({ ok: true, exchanges: 500 })
})

test('more begins than the queue holds are refused', async () => {
  const log = await open({ maxQueue: 10 })
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => log.begin(beginOf(`x${String(i)}`))),
  )
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  expect(results.at(-1)).toMatchObject({ reason: { code: 'guard_unavailable' } })
  await log.close()
})

test('files are rotated by size, the chain goes over them, and the running exchanges are named again', async () => {
  const log = await open({ maxBytes: 20_000 })
  await log.begin(beginOf('long'))
  for (let i = 0; i < 20; i++) await many(log, i * 10, 10)
  await log.end(recordOf('long'))
  await log.close()
  const report = await verifyAudit(path)
  expect(report).toMatchObject({ ok: true, exchanges: 201, unfinished: 0, notes: [] })
  expect(report.files.length).toBeGreaterThan(3)
  expect(linesOf().some(({ type, id }) => type === 'carry' && id === 'long')).toBe(true)
  for (const file of report.files) expect((await verifyAudit(file)).problem).toBeUndefined()
  expect((await verifyAudit(folder)).ok).toBe(true)
})

test('a rotated file that is taken away leaves a gap that is found', async () => {
  const log = await open({ maxBytes: 5000 })
  for (let i = 0; i < 10; i++) await many(log, i * 10, 10)
  await log.close()
  const { files } = await verifyAudit(path)
  rmSync(files[1]!)
  expect(await verifyAudit(path)).toMatchObject({ ok: false, problem: { code: 'file_gap' } })
})

test('only so many rotated files are kept, and the rest still verifies', async () => {
  const log = await open({ maxBytes: 5000, keepFiles: 2 })
  for (let i = 0; i < 20; i++) await many(log, i * 10, 10)
  await log.close()
  const report = await verifyAudit(path)
  expect(report.files).toHaveLength(3)
  expect(report).toMatchObject({
    ok: true,
    notes: [expect.stringMatching(/^Lines 1 to \d+ are not here: the guard deleted/)],
  })
})

test('rotated files are deleted at their age, the chain says so, and what somebody else deleted does not count as that', async () => {
  let now = Date.parse('2026-11-21T12:00:00Z')
  const parts = { ...quiet, now: () => now }
  const log = await fileAudit(fileOptions(path, { maxBytes: 5000, keepMs: 86_400_000 }), parts)
  const write = async (from: number): Promise<void> => {
    for (let i = from; i < from + 20; i++) await log.end(recordOf(`x${String(i)}`))
  }
  await write(0)
  const old = (await verifyAudit(path)).files.length - 1
  now += 86_400_000 + 1
  await write(20)
  const report = await verifyAudit(path)
  expect(report).toMatchObject({ ok: true, notes: [expect.stringContaining('as its retention says')] })
  const told = report.files.flatMap((file) => linesOf(file)).filter(({ type }) => type === 'retention')
  expect(told).toMatchObject([{ first_seq: 1, last_seq: report.firstSeq - 1, files: old, because: 'age' }])
  await log.close()
  rmSync(report.files[0]!)
  expect(await verifyAudit(path)).toMatchObject({
    ok: true,
    notes: ['Earlier files of this log are not here.'],
  })
})

test('files are rotated by age', async () => {
  let time = Date.parse('2026-11-21T00:00:00Z')
  const log = await fileAudit(fileOptions(path, { maxAgeMs: 1000 }), { ...quiet, now: () => time })
  await exchange(log, 'x1')
  time += 2000
  await exchange(log, 'x2')
  await log.close()
  const report = await verifyAudit(path)
  expect(report.files).toHaveLength(2)
  expect(report.ok).toBe(true)
})

test('a log that is renamed under load goes on in a new file without a loss', async () => {
  const log = await open()
  let n = 0
  let stop = false
  const work = async () => {
    while (!stop) await exchange(log, `x${String(n++)}`)
  }
  const workers = [work(), work(), work()]
  for (const name of ['audit.log.1', 'audit.log.2']) {
    await sleep(50)
    renameSync(path, join(folder, name))
    await until(() => existsSync(path))
  }
  stop = true
  await Promise.all(workers)
  await log.close()
  expect(await verifyAudit(path)).toMatchObject({ ok: true, exchanges: n, unfinished: 0 })
  expect((await verifyAudit(join(folder, 'audit.log.1'))).ok).toBe(true)
})

test('verifying while the guard writes and rotates finds nothing wrong', async () => {
  const log = await open({ maxBytes: 300_000 })
  let stop = false
  const work = async (name: string) => {
    for (let n = 0; !stop; n++) await exchange(log, `${name}${String(n)}`)
  }
  const workers = [work('a'), work('b')]
  const problems: unknown[] = []
  for (let i = 0; i < 20; i++) {
    await sleep(10)
    problems.push(await verifyAudit(path).then(({ problem }) => problem, String))
  }
  stop = true
  await Promise.all(workers)
  await log.close()
  expect(problems.filter((problem) => problem !== undefined)).toEqual([])
})

test('two guards never write one log; a dead one does not keep it', async () => {
  const log = await open()
  await expect(open()).rejects.toThrow(/in use by process \d+ .* Give each guard its own log/)
  await log.close()
  writeFileSync(
    `${path}.lock`,
    `{"host":"${execFileSync('hostname').toString().trim()}","pid":4194303,"started":"1","nonce":"00000000-0000-0000-0000-000000000000"}`,
  )
  await (await open()).close()
  expect(existsSync(`${path}.lock`)).toBe(false)
})

test('a guard whose log something else writes to serves nothing more', async () => {
  const log = await open()
  appendFileSync(path, 'a line of somebody else\n')
  await until(() => log.unready() !== undefined)
  expect(log.unready()).toMatch(/Something else writes/)
  await expect(log.begin(beginOf('x'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  await log.close()
})

test('a log that lost lines while the guard ran stops the guard', async () => {
  const log = await open()
  await many(log, 0, 10)
  truncateSync(path, 500)
  await until(() => log.unready() !== undefined)
  await expect(log.begin(beginOf('x'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  await log.close()
  await expect(open()).rejects.toThrow(/is damaged/)
})

test.each([
  ['a changed line', () => writeFileSync(path, readFileSync(path, 'utf8').replace('"x3"', '"x4"'))],
  ['a cut end', () => truncateSync(path, statSync(path).size - 1500)],
  ['a missing head', () => rmSync(`${path}.head`)],
  [
    'a head that nobody signed',
    () =>
      writeFileSync(
        `${path}.head`,
        readFileSync(`${path}.head`, 'utf8').replaceAll(/"signature":"..../g, '"signature":"AAAA'),
      ),
  ],
])('a guard does not start on a log with %s, and says what to do', async (_, damage) => {
  const log = await open()
  await many(log, 0, 10)
  await log.close()
  damage()
  await expect(open()).rejects.toThrow(/audit/i)
  expect(existsSync(`${path}.lock`)).toBe(false)
})

test('half a line at the end, which nobody was promised, is put aside', async () => {
  const log = await open()
  await exchange(log, 'x1')
  await log.close()
  appendFileSync(path, '{"v":1,"seq":5,"type":"beg')
  expect(await verifyAudit(path)).toMatchObject({ ok: true, notes: [expect.stringContaining('cut short')] })
  await (await open()).close()
  expect(readFileSync(`${path}.torn-1`, 'utf8')).toBe('{"v":1,"seq":5,"type":"beg')
  expect(linesOf().find(({ type }) => type === 'recovered')).toMatchObject({ torn_bytes: 26, lost: 0 })
  expect((await verifyAudit(path)).ok).toBe(true)
})

test('a log that was moved while the guard was down is missed, unless it is verified too', async () => {
  const log = await open()
  await exchange(log, 'x1')
  await log.close()
  mkdirSync(join(folder, 'old'))
  renameSync(path, join(folder, 'old', 'a'))
  const next = await open()
  await exchange(next, 'x2')
  await next.close()
  expect((await verifyAudit(path)).problem?.code).toBe('earlier_missing')
  renameSync(join(folder, 'old', 'a'), `${path}.old`)
  expect(await verifyAudit(path)).toMatchObject({ ok: true, exchanges: 2 })
})

test('the key file is private, and a guard with another key goes on in the same chain', async () => {
  const log = await open()
  await exchange(log, 'x1')
  await log.close()
  expect(statSync(`${path}.key`).mode & 0o777).toBe(0o600)
  rmSync(`${path}.key`)
  const next = await open()
  await exchange(next, 'x2')
  await next.close()
  expect((await verifyAudit(path)).ok).toBe(true)
  await expect(open({ signingKey: 'not a key' })).rejects.toThrow(/openssl genpkey/)
})

test('checkpoints come by number of lines and, when there is something new, by time', async () => {
  let time = Date.now()
  const log = await fileAudit(fileOptions(path, { checkpointLines: 10, checkpointMs: 5000 }), {
    ...quiet,
    now: () => time,
  })
  for (let i = 0; i < 10; i++) await exchange(log, `x${String(i)}`)
  expect(types().filter((type) => type === 'checkpoint').length).toBeGreaterThanOrEqual(2)
  await exchange(log, 'last')
  time += 6000
  await until(() => types().at(-1) === 'checkpoint')
  await log.close()
})

test('a log that cannot be written is unready and refuses', async () => {
  const log = await fileAudit(fileOptions('/dev/full'), quiet)
  expect(log.unready()).toMatch(/audit log cannot be written/)
  await expect(log.begin(beginOf('x'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  await expect(log.end(recordOf('x'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  await log.close()
  expect(readdirSync('/dev').filter((name) => name.startsWith('full.'))).toEqual([])
})

test('a folder that appears late makes the guard ready', async () => {
  writeFileSync(join(folder, 'sub'), 'in the way')
  path = join(folder, 'sub', 'audit.log')
  const log = await open()
  expect(log.unready()).toBeDefined()
  rmSync(join(folder, 'sub'))
  await until(() => log.unready() === undefined)
  await exchange(log, 'x1')
  await log.close()
  expect((await verifyAudit(path)).ok).toBe(true)
})
