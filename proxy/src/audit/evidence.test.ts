import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { exportEvidence, type EvidenceOptions } from './evidence.ts'
import { verifyEvidence } from './evidence-verify.ts'
import { fileAudit } from './file.ts'
import { newPrivateKey, signerFrom } from './keys.ts'
import { beginOf, fileOptions, quiet, recordOf } from './samples.ts'
import { seriesOf } from './series.ts'

const signingKey = newPrivateKey()
const signer = signerFrom(signingKey)
const START = Date.parse('2026-11-21T12:00:00.000Z')
const at = (minutes: number): string => new Date(START + minutes * 60_000).toISOString()

let folder = ''
let log = ''
/** Sixty exchanges of two tenants, one a minute, over several files. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-evidence-'))
  log = join(folder, 'audit.log')
  let now = START
  const audit = await fileAudit(fileOptions(log, { maxBytes: 20_000, checkpointLines: 10 }), {
    ...quiet,
    now: () => now,
  })
  for (let i = 0; i < 60; i++) {
    const id = `x${String(i)}`
    const { caller } = beginOf(id)
    const tenant = i % 3 === 0 ? 'other' : 'acme'
    await audit.begin({ ...beginOf(id), caller: { ...caller, tenant } })
    await audit.end({ ...recordOf(id), caller: { ...caller, tenant } })
    now += 60_000
  }
  await audit.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const bundle = async (more: Partial<EvidenceOptions> = {}) => {
  const out = join(folder, `evidence-${String(made++)}.tar`)
  const manifest = await exportEvidence({ log, from: at(10), to: at(40), out, signingKey, ...more })
  return { out, manifest }
}

const unpacked = (out: string): string => {
  const to = `${out}.d`
  mkdirSync(to)
  execFileSync('tar', ['-xf', out, '-C', to])
  return to
}

/** Runs the indented blocks of VERIFY.txt, as its reader would. */
const followed = (to: string): { ok: boolean; said: string } => {
  const script = readFileSync(join(to, 'VERIFY.txt'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .join('\n')
  try {
    const said = execFileSync('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: to,
      encoding: 'utf8',
      stdio: 'pipe',
    })
    return { ok: true, said }
  } catch (error) {
    return { ok: false, said: String((error as { stdout?: string }).stdout) }
  }
}

const check = (out: string) => verifyEvidence(out, { signerKey: signer.publicPem })

test('a bundle of half an hour is whole, says what it covers, and verifies with openssl and sha256sum alone', async () => {
  const { out, manifest } = await bundle()
  expect(manifest.coverage).toMatchObject({ gaps: [], withheld: 0, in_range: { exchanges: 30 } })
  expect(manifest.coverage.signed_to).toBe(manifest.coverage.last_seq)
  expect((await seriesOf(log)).files.length).toBeGreaterThan(2)
  expect(await check(out)).toMatchObject({ ok: true, problems: [], trusted: true })
  expect(statSync(out).mode & 0o777).toBe(0o600)
  const to = unpacked(out)
  const lines = readFileSync(join(to, 'audit.jsonl'), 'utf8').trimEnd().split('\n')
  const ids = lines
    .filter((line) => line.includes('"type":"exchange"'))
    .map((line) => (JSON.parse(line) as { id: string }).id)
  expect(ids).toEqual(expect.arrayContaining(Array.from({ length: 30 }, (_, i) => `x${String(i + 10)}`)))
  const { ok, said } = followed(to)
  expect([ok, said]).toEqual([true, expect.stringContaining('chain holds')])
  expect(said.match(/Signature Verified Successfully/g)).toHaveLength(3)
  expect(said.match(/: OK$/gm)?.length).toBeGreaterThanOrEqual(5)
})

test('the whole log is a bundle too, from its first line to its last', async () => {
  const { out, manifest } = await bundle({ from: at(-1), to: at(1000) })
  const all = (await seriesOf(log)).files.map((file) => readFileSync(file, 'utf8')).join('')
  expect(readFileSync(join(unpacked(out), 'audit.jsonl'), 'utf8')).toBe(all)
  expect(manifest.coverage).toMatchObject({ first_seq: 1, first_prev: '0'.repeat(64) })
  expect(await check(out)).toMatchObject({ ok: true })
})

test('of one tenant only its lines are given, the others by hash, and what that proves is said', async () => {
  const { out, manifest } = await bundle({ tenant: 'other' })
  expect(manifest.coverage.withheld).toBeGreaterThan(30)
  const to = unpacked(out)
  const text = readFileSync(join(to, 'audit.jsonl'), 'utf8')
  expect(text).not.toContain('"tenant":"acme"')
  expect(text).toContain('"id":"x12"')
  expect(readFileSync(join(to, 'VERIFY.txt'), 'utf8')).toContain('What is NOT proven by this bundle alone')
  expect(await check(out)).toMatchObject({ ok: true, problems: [] })
  expect(followed(to)).toMatchObject({
    ok: true,
    said: expect.stringContaining('lines are where hashes.txt says'),
  })
})

test.each<[string, (bytes: Buffer) => void]>([
  ['a line', (bytes) => bytes.write('mallory', bytes.indexOf('alice'))],
  ['the manifest', (bytes) => bytes.write('9', bytes.indexOf('"gaps"') + 3)],
  ['a public key', (bytes) => bytes.write('BB', bytes.indexOf('BEGIN PUBLIC KEY') + 60)],
  ['the instructions', (bytes) => bytes.write('No', bytes.indexOf('You need openssl'))],
])('%s that was changed is found, by postern and by the public tools', async (_, change) => {
  const { out } = await bundle()
  const bytes = readFileSync(out)
  change(bytes)
  writeFileSync(out, bytes)
  expect(await check(out)).toMatchObject({ ok: false, problems: [expect.any(String)] })
  expect(followed(unpacked(out)).ok).toBe(false)
})

test('a bundle that somebody else signed is not this signer’s', async () => {
  const { out } = await bundle({ signingKey: newPrivateKey() })
  expect(await verifyEvidence(out)).toMatchObject({ ok: true, trusted: false })
  expect(await check(out)).toMatchObject({
    ok: false,
    problems: [expect.stringContaining('another key made it')],
  })
})

test('lines that are gone from the log stand in the manifest as a gap', async () => {
  const { files } = await seriesOf(log)
  const broken = join(folder, 'broken.log')
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
  writeFileSync(broken, `${lines.toSpliced(60, 2).join('\n')}\n`)
  writeFileSync(`${broken}.pub`, readFileSync(`${log}.pub`))
  const { out, manifest } = await bundle({ log: broken })
  expect(manifest.coverage.gaps).toEqual([{ after: 60, before: 63, why: 'missing' }])
  expect(await check(out)).toMatchObject({ ok: false })
  expect(followed(unpacked(out)).ok).toBe(false)
})

test('captures of that time go with it, those of other times and tenants do not', async () => {
  const captures = join(folder, 'captures.jsonl')
  const line = (id: string, tenant: string, minute: number) =>
    `${JSON.stringify({ v: 1, id, tenant, written: at(minute), jwe: 'a.b.c' })}\n`
  appendFileSync(captures, line('x9', 'acme', 9) + line('x11', 'acme', 11) + line('x12', 'other', 12))
  const all = await bundle({ captures: [captures] })
  expect(readFileSync(join(unpacked(all.out), 'captures.jsonl'), 'utf8')).toBe(
    line('x11', 'acme', 11) + line('x12', 'other', 12),
  )
  const one = await bundle({ captures: [captures], tenant: 'other' })
  expect(readFileSync(join(unpacked(one.out), 'captures.jsonl'), 'utf8')).toBe(line('x12', 'other', 12))
  expect(await check(one.out)).toMatchObject({ ok: true })
})

test('nothing is left behind when there is nothing to export, or no key', async () => {
  const out = join(folder, 'none.tar')
  const none = { log, from: at(-20), to: at(-10), out, signingKey }
  await expect(exportEvidence(none)).rejects.toThrow('nothing was written in that time')
  await expect(verifyEvidence(out)).rejects.toThrow('ENOENT')
  writeFileSync(out, 'not an archive')
  await expect(verifyEvidence(out)).rejects.toThrow('not an archive')
  const keyless = join(folder, 'keyless.log')
  writeFileSync(keyless, readFileSync(log))
  await expect(exportEvidence({ ...none, log: keyless })).rejects.toThrow('no public key')
})
