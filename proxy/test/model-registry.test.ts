import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startTestGuard, type TestGuard } from './start.ts'

let folder: string
let file: string
let guard: TestGuard | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-registry-'))
  file = join(folder, 'models.json')
})
afterEach(async () => {
  await guard?.close()
  guard = undefined
  rmSync(folder, { recursive: true, force: true })
})

const DIGEST = 'd'.repeat(64)

const write = (aliases: object, signer = 'key-1'): void =>
  writeFileSync(
    file,
    JSON.stringify({
      v: 1,
      models: {
        support: {
          versions: {
            '1': { source: 's3://m/1', serves_as: 'support-one', digest: DIGEST, signer },
            '2': { source: 's3://m/2', serves_as: 'support-two', digest: DIGEST, signer },
          },
          aliases,
        },
      },
    }),
  )

const config = (more: object = {}) => ({
  modelRegistry: { file, ...more },
  models: [
    {
      name: 'support',
      targets: [
        { upstream: 'demo', follow: { model: 'support', alias: 'champion' }, weight: 3 },
        { upstream: 'demo', follow: { model: 'support', alias: 'canary' }, weight: 1 },
      ],
    },
  ],
})

const ask = async ({ url, keys }: TestGuard): Promise<number> => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.developer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'support', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await response.arrayBuffer()
  return response.status
}

const served = async (from: TestGuard): Promise<readonly unknown[]> =>
  (await from.records())
    .filter(({ type }) => type === 'exchange')
    .map((line) => (line as { served?: unknown }).served)

test('calls follow the aliases by weight, and every record names the version, its digest and its signer', async () => {
  write({ champion: '1', canary: '2' })
  guard = await startTestGuard({ config: config() })
  for (let i = 0; i < 4; i++) expect(await ask(guard)).toBe(200)
  const of = (version: string) => ({ name: 'support', version, digest: DIGEST, signer: 'key-1' })
  const all = await served(guard)
  expect(all.filter((each) => JSON.stringify(each) === JSON.stringify(of('1')))).toHaveLength(3)
  expect(all.filter((each) => JSON.stringify(each) === JSON.stringify(of('2')))).toHaveLength(1)
})

test('a promotion counts for the next request, and an alias without a version gets no calls', async () => {
  write({ champion: '1' })
  guard = await startTestGuard({ config: config() })
  expect(await ask(guard)).toBe(200)
  write({ champion: '2' })
  await guard.running.apply(guard.config())
  expect(await ask(guard)).toBe(200)
  expect((await served(guard)).map((each) => (each as { version: string }).version)).toEqual(['1', '2'])
})

test('an unsigned version is refused with what to do, and the old configuration goes on', async () => {
  write({ champion: '1' })
  guard = await startTestGuard({ config: config() })
  write({ champion: '2' }, '')
  await expect(guard.running.apply(guard.config())).rejects.toThrow('version 2 of support is not signed')
  expect(await ask(guard)).toBe(200)
  await guard.running.apply(guard.config(config({ requireSignature: false })))
  expect(await ask(guard)).toBe(200)
})

test.each([
  ['{"v":2,"models":{}}', 'is not a model registry of version 1'],
  ['{"v":1,"models":{}}', 'promote one with postern-sec model promote'],
  ['{"v":1,"v":1,"models":{}}', 'is not a model registry of version 1'],
  [
    '{"v":1,"models":{"support":{"versions":{},"aliases":{"champion":"7"}}}}',
    'there is no version 7 in the registry',
  ],
])('a registry %s does not start a guard', async (text, message) => {
  writeFileSync(file, text)
  await expect(startTestGuard({ config: config() })).rejects.toThrow(message)
})
