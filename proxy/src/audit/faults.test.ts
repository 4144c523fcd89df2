import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { fileAudit } from './file.ts'
import { beginOf, fileOptions, quiet, recordOf } from './samples.ts'
import { verifyAudit } from './verify.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-audit-'))
  path = join(folder, 'audit.log')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const SCRIPT = join(import.meta.dirname, 'writer.child.ts')

const read = (child: ChildProcess) => {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return () => text
}

const wholeLog = () =>
  readdirSync(folder)
    .filter((name) => /^audit\.log(\.\d+-\d+)?$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('')

const seen = async (text: () => string, what: string) => {
  for (let i = 0; i < 2000 && !text().includes(what); i++) await sleep(10)
  expect(text()).toContain(what)
}

test('after a SIGKILL under load nothing promised is missing, and the log verifies before and after the restart', async () => {
  const promised = { begun: new Set<string>(), ended: new Set<string>() }
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [SCRIPT, path, '8'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const text = read(child)
    await seen(text, 'ended')
    await sleep(50 + Math.random() * 250)
    child.kill('SIGKILL')
    await once(child, 'close')
    for (const line of text().split('\n').slice(0, -1)) {
      const [what, id = ''] = line.split(' ')
      if (what === 'begun' || what === 'ended') promised[what].add(id)
    }
    expect((await verifyAudit(path)).problem).toBeUndefined()
  }
  await (await fileAudit(fileOptions(path), quiet)).close()
  const log = wholeLog()
  const missing = (type: string, ids: Set<string>) => {
    const there = new Set(
      [
        ...log.matchAll(new RegExp(`"type":"${type}","prev":"[^"]*","written":"[^"]*","id":"([^"]*)"`, 'g')),
      ].map(([, id]) => id),
    )
    return [...ids].filter((id) => !there.has(id))
  }
  expect(promised.begun.size).toBeGreaterThan(20)
  expect(missing('begin', promised.begun)).toEqual([])
  expect(missing('exchange', promised.ended)).toEqual([])
  const report = await verifyAudit(path)
  expect(report).toMatchObject({ ok: true, unfinished: 0 })
  expect(report.begun).toBe(report.exchanges + report.lost)
}, 180_000)

test('a file size limit refuses what does not fit and keeps the chain whole', async () => {
  const command = `ulimit -f 60; exec "${process.execPath}" "${SCRIPT}" "${path}" 4`
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const text = read(child)
  await seen(text, 'refused')
  await sleep(300)
  child.kill('SIGKILL')
  await once(child, 'close')
  expect((await verifyAudit(path)).problem).toBeUndefined()
  const log = wholeLog()
  for (const [, id = ''] of text().matchAll(/^ended (\S+)$/gm)) expect(log).toContain(`"id":"${id}"`)
}, 180_000)

const mountTmpfs = (at: string): boolean => {
  try {
    mkdirSync(at)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const canMount = (() => {
  const probe = mkdtempSync(join(tmpdir(), 'postern-mount-'))
  const mounted = mountTmpfs(join(probe, 'm'))
  if (mounted) execFileSync('umount', [join(probe, 'm')])
  rmSync(probe, { recursive: true, force: true })
  return mounted
})()

const ifMount = canMount ? test : test.skip

ifMount(
  'a full disk refuses, and the log heals by itself when there is space again (needs mount)',
  async () => {
    const disk = join(folder, 'disk')
    mountTmpfs(disk)
    try {
      const log = await fileAudit(fileOptions(join(disk, 'audit.log')), quiet)
      const filler = join(disk, 'filler')
      writeFileSync(filler, Buffer.alloc(800_000))
      const begun: string[] = []
      const ended: string[] = []
      let refused = 0
      const one = async (id: string) => {
        try {
          await log.begin(beginOf(id))
          begun.push(id)
          await log.end(recordOf(id))
          ended.push(id)
        } catch (error) {
          expect(error).toMatchObject({ code: 'guard_unavailable' })
          refused += 1
        }
      }
      // The log tries again meanwhile and may find room for a moment: it is looked at right after a refusal.
      const reasons = new Set<string | undefined>()
      for (let i = 0; refused < 50 || !reasons.has('ENOSPC'); i++) {
        await Promise.all(Array.from({ length: 10 }, (_, j) => one(`x${String(i)}-${String(j)}`)))
        reasons.add(/ENOSPC/.exec(log.unready() ?? '')?.[0])
        if (refused > 0) await sleep(20)
      }
      rmSync(filler)
      for (let i = 0; i < 400 && log.unready() !== undefined; i++) await sleep(50)
      expect(log.unready()).toBeUndefined()
      await one('after')
      await log.close()
      const text = readFileSync(join(disk, 'audit.log'), 'utf8')
      for (const id of begun) expect(text.split(`"id":"${id}"`).length).toBe(3) // the end is written late, but it is written
      expect(ended.at(-1)).toBe('after')
      expect(await verifyAudit(join(disk, 'audit.log'))).toMatchObject({ ok: true, unfinished: 0 })
    } finally {
      execFileSync('umount', ['--lazy', disk]) // or what failed within would not be told
    }
  },
  180_000,
)
