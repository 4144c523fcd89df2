import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const BIN = resolve(import.meta.dirname, '../bin/postern.mjs')

const postern = (args: readonly string[], input = ''): { code: number | null; out: string; err: string } => {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const done = spawnSync(process.execPath, [BIN, ...args], { input, encoding: 'utf8', env })
  return { code: done.status, out: done.stdout, err: done.stderr }
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const CONFIG = `identity: { anonymous: { roles: [user] } }
upstreams: [{ name: demo, url: 'http://127.0.0.1:9' }]
models: [{ name: demo-small, targets: [{ upstream: demo }] }]
audit: { stdout: true }
`

const withPage = (hash: string) =>
  `${CONFIG}admin:\n  ui:\n    passwordHash: { file: ${file('hash', hash)} }\n`
const withCapture = (pem: string) =>
  CONFIG.replace(
    'audit: { stdout: true }',
    `audit:\n  stdout: true\n  capture:\n    file: ${join(folder, 'kept')}\n    tenants: [acme]\n    publicKeyFile: ${file('auditor.pub', pem)}`,
  )
const pem = (key: KeyObject): string =>
  key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }).toString()

test('postern check accepts a hash and a key that are right', () => {
  const hash = postern(['token', 'password'], 'a long enough password').out.trim()
  expect(postern(['check', file('page.yaml', withPage(hash))])).toMatchObject({ code: 0 })
  const { publicKey } = generateKeyPairSync('x25519')
  expect(postern(['check', file('kept.yaml', withCapture(pem(publicKey)))])).toMatchObject({ code: 0 })
})

test('postern check names the line of a password where its hash should be, and never shows it', () => {
  const { code, err } = postern(['check', file('page.yaml', withPage('hunter2'))])
  expect(code).toBe(2)
  expect(err).toMatch(/page\.yaml:7:\d+: admin\.ui\.passwordHash: file:\S+ holds no scrypt hash/)
  expect(err).not.toContain('hunter2')
})

test('postern check names the line of an auditor key that is private, of another kind, or none', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const own = generateKeyPairSync('x25519')
  const wrong = {
    'must be X25519': pem(rsa.publicKey),
    'private key': pem(own.privateKey),
    'must be PEM': 'x',
  }
  for (const [why, text] of Object.entries(wrong)) {
    const { code, err } = postern(['check', file('kept.yaml', withCapture(text))])
    expect(code).toBe(2)
    expect(err).toMatch(/kept\.yaml:9:\d+: audit\.capture\.publicKeyFile: /)
    expect(err).toContain(why)
  }
})

test('postern check names the line of an auditor key that is not there', () => {
  const text = withCapture('').replace('auditor.pub', 'missing.pub')
  const { code, err } = postern(['check', file('kept.yaml', text)])
  expect(code).toBe(2)
  expect(err).toMatch(/kept\.yaml:9:\d+: audit\.capture\.publicKeyFile: .*cannot be read/)
})
