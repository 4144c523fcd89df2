import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import OpenAI from 'openai'
import { startTestGuard, type TestGuard } from './start.ts'

const BIN = resolve(import.meta.dirname, '../bin/postern.mjs')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-capture-'))
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  writeFileSync(join(folder, 'auditor.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(join(folder, 'auditor.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const capturing = (tenants: readonly string[], file: string) =>
  startTestGuard({
    config: {
      audit: { capture: { publicKeyFile: join(folder, 'auditor.pub'), tenants, file: join(folder, file) } },
    },
  })
const ask = (guard: TestGuard, text: string, stream: boolean) => {
  const client = new OpenAI({ apiKey: guard.keys.user, baseURL: `${guard.url}/v1`, maxRetries: 0 })
  const body = { model: 'demo-small', messages: [{ role: 'user' as const, content: text }] }
  if (!stream) return client.chat.completions.create(body)
  return client.chat.completions.create({ ...body, stream }).then(async (events) => {
    for await (const event of events) expect(event.object).toBe('chat.completion.chunk')
  })
}

test.each([false, true])(
  'the auditor alone reads what a chosen tenant said and was told (stream: %p)',
  async (stream) => {
    const guard = await capturing(['acme'], `kept-${stream}.jsonl`)
    await ask(guard, 'the vessel lies in the harbour', stream)
    const record = (await guard.records()).at(-1) as unknown as {
      readonly texts: { readonly capture?: string }[]
    }
    await guard.close()
    expect(record.texts.length).toBeGreaterThan(1)
    for (const text of record.texts) expect(text.capture).toMatch(/^[0-9a-f]{64}$/)
    const kept = join(folder, `kept-${stream}.jsonl`)
    expect(readFileSync(kept, 'utf8')).not.toContain('vessel')
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [BIN, 'evidence', 'decrypt', kept, '--auditor-key', join(folder, 'auditor.key')],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    )
    expect(stderr).toBe('')
    expect(stdout).toContain('the vessel lies in the harbour')
  },
)

test('nothing of another tenant is kept', async () => {
  const guard = await capturing(['somebody-else'], 'none.jsonl')
  await ask(guard, 'the vessel lies in the harbour', false)
  const record = (await guard.records()).at(-1) as unknown as {
    readonly texts: { readonly capture?: string }[]
  }
  await guard.close()
  for (const text of record.texts) expect(text.capture).toBeUndefined()
})
