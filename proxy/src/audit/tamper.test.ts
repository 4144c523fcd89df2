import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { chained, START } from './chain.ts'
import { exchangeEntry, noteEntry } from './entries.ts'
import { fileAudit } from './file.ts'
import { newPrivateKey, signerFrom } from './keys.ts'
import { beginOf, fileOptions, quiet, recordOf } from './samples.ts'
import { verifyAudit } from './verify.ts'

let folder = ''
let source = ''
let publicKey = ''
/** The log of a guard that was killed: it does not end in a closing line. */
let lines: readonly string[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-tamper-'))
  source = join(folder, 'audit.log')
  const log = await fileAudit(fileOptions(source), quiet)
  for (let i = 0; i < 60; i++) {
    await log.begin(beginOf(`x${String(i)}`))
    await log.end(recordOf(`x${String(i)}`))
  }
  for (const end of ['', '.head', '.pub']) cpSync(source + end, join(folder, `killed.log${end}`))
  await log.close()
  source = join(folder, 'killed.log')
  lines = readFileSync(source, 'utf8').trimEnd().split('\n')
  publicKey = readFileSync(`${source}.pub`, 'utf8')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const written = (text: string, sides: readonly string[] = ['.head', '.pub']): string => {
  const at = mkdtempSync(join(folder, 'case-'))
  const path = join(at, 'tampered.log')
  writeFileSync(path, text)
  for (const side of sides) cpSync(`${source}${side}`, `${path}${side}`)
  return path
}

const joined = (changed: readonly string[]) => changed.map((line) => `${line}\n`).join('')

test('the log itself verifies', async () => {
  expect(await verifyAudit(written(joined(lines)))).toMatchObject({
    ok: true,
    exchanges: 60,
    lastSeq: lines.length,
  })
})

const MIDDLE = 60

const changes: Record<string, [code: string, (all: string[]) => unknown]> = {
  'a changed letter': ['prev_wrong', (all) => (all[MIDDLE] = all[MIDDLE]!.replace('llama', 'llamb'))],
  'a dropped line': ['seq_wrong', (all) => all.splice(MIDDLE, 1)],
  'two lines swapped': ['seq_wrong', (all) => all.splice(MIDDLE, 2, all[MIDDLE + 1]!, all[MIDDLE]!)],
  'a doubled line': ['seq_wrong', (all) => all.splice(MIDDLE, 0, all[MIDDLE]!)],
  'no first line': ['start_wrong', (all) => all.shift()],
  'a line put in': ['line_invalid', (all) => all.splice(MIDDLE, 0, '{}')],
  'a blank line put in': ['line_invalid', (all) => all.splice(MIDDLE, 0, '')],
  'blanks after a line': ['line_invalid', (all) => (all[MIDDLE] = `${all[MIDDLE]!} `)],
  'five lines cut off the end': ['tail_cut', (all) => all.splice(-5)],
  'one line cut off the end': ['tail_cut', (all) => all.pop()],
  'the last line changed': ['head_mismatch', (all) => all.push(all.pop()!.replace('llama', 'llamb'))],
  'the first half cut off': ['start_wrong', (all) => all.splice(0, MIDDLE)],
}

test.each(Object.entries(changes))('%s is found', async (_, [code, change]) => {
  const changed = [...lines]
  change(changed)
  const report = await verifyAudit(written(joined(changed)))
  expect(report).toMatchObject({ ok: false, problem: { code } })
  expect(report.problem?.message).toMatch(/^[A-Z].*\.$/)
})

test('the problem names file, line and number', async () => {
  const changed = [...lines]
  changed.splice(MIDDLE, 1)
  const path = written(joined(changed))
  expect((await verifyAudit(path)).problem).toMatchObject({ file: path, line: MIDDLE + 1, seq: MIDDLE + 2 })
})

test('a cut in the middle of the last line is found', async () => {
  expect((await verifyAudit(written(joined(lines).slice(0, -10)))).problem?.code).toBe('tail_cut')
})

test('a changed byte anywhere is found', async () => {
  const bytes = Buffer.from(joined(lines))
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ flip
      const path = written('')
      writeFileSync(path, changed)
      expect((await verifyAudit(path)).ok).toBe(false)
    }),
    { numRuns: 60 },
  )
})

test('a copy without its head file proves nothing about its end', async () => {
  expect((await verifyAudit(written(joined(lines), ['.pub']))).problem?.code).toBe('tail_unproven')
  expect((await verifyAudit(written(joined(lines), []), { publicKey })).problem?.code).toBe('tail_unproven')
  expect((await verifyAudit(written(joined(lines), []))).problem?.code).toBe('key_missing')
})

test('a log that was closed needs no head file', async () => {
  const closed = readFileSync(join(folder, 'audit.log'), 'utf8')
  expect((await verifyAudit(written(closed, []), { publicKey })).ok).toBe(true)
})

test('a log chained anew without the key is a forgery', async () => {
  const forger = signerFrom(newPrivateKey())
  const stamp = { written: '2026-11-21T12:00:00.000Z', signer: forger }
  const entries = [
    noteEntry('open', { origin: 'first', previous_seq: 0 }),
    ...Array.from({ length: 200 }, (_, i) => exchangeEntry(recordOf(`y${String(i)}`))),
    noteEntry('close', {}),
  ]
  const { text } = chained(START, entries, stamp)
  expect((await verifyAudit(written(text))).problem?.code).toBe('key_unknown')
  expect((await verifyAudit(written(text, []), { publicKey })).problem?.code).toBe('key_unknown')
  const claimed = { ...forger, keyId: signerFrom(newPrivateKey()).keyId }
  const known = /"key":"([0-9a-f]{16})"/.exec(lines[0]!)![1]!
  const posing = chained(START, entries, { ...stamp, signer: { ...claimed, keyId: known } })
  expect((await verifyAudit(written(posing.text))).problem?.code).toBe('signature_wrong')
})

test('a checkpoint of another place in the log does not fit', async () => {
  const checkpoint = lines.findIndex((line) => line.includes('"type":"checkpoint"'))
  expect(checkpoint).toBeGreaterThan(0)
  const changed = [...lines]
  const signature = /"signature":"[^"]*"/.exec(lines[0]!)![0]
  changed[checkpoint] = changed[checkpoint]!.replace(/"signature":"[^"]*"/, signature)
  expect((await verifyAudit(written(joined(changed)))).problem?.code).toBe('signature_wrong')
})

test('a head set back without the key does not hide a cut', async () => {
  const cut = lines.slice(0, -40)
  const path = written(joined(cut))
  const head = readFileSync(`${path}.head`, 'utf8').replaceAll(/"seq":\d+/g, `"seq":${String(cut.length)}`)
  writeFileSync(`${path}.head`, head)
  expect((await verifyAudit(path)).ok).toBe(false)
})

test('what is not a log is said to be none', async () => {
  expect((await verifyAudit(written(''))).problem?.code).toBe('empty')
  expect((await verifyAudit(written('hello\n'))).problem?.code).toBe('line_invalid')
  expect((await verifyAudit(written('x'.repeat(6 << 20)))).ok).toBe(false)
  await expect(verifyAudit(join(folder, 'nowhere.log'))).rejects.toThrow(/ENOENT/)
})
