import { afterEach, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { httpsServer, selfSigned, type TestServer } from '../src/policy/test/bundle-server.ts'
import { canonicalFiles, keyPair, signedArchive } from '../src/policy/test/signed-bundle.ts'
import { startTestGuard, type TestGuard } from './start.ts'

const pair = keyPair()
const archive = signedArchive(pair)
let server: TestServer
let guard: TestGuard
let folder: string
afterEach(async () => {
  await guard.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (answer: TestServer['answer']): Promise<void> => {
  folder = mkdtempSync(join(tmpdir(), 'postern-remote-'))
  const identity = await selfSigned('bundles')
  server = await httpsServer(identity)
  server.answer = answer
  writeFileSync(join(folder, 'ca.crt'), identity.cert)
  writeFileSync(join(folder, 'bundle.pub'), pair.publicPem)
  guard = await startTestGuard({
    config: {
      policy: {
        remote: {
          url: server.url,
          caFile: join(folder, 'ca.crt'),
          publicKeyFile: join(folder, 'bundle.pub'),
          file: join(folder, 'bundle.tar.gz'),
          minDelay: '1s',
          maxDelay: '1s',
        },
      },
    },
  })
}

const serves =
  (bytes: Uint8Array): TestServer['answer'] =>
  (_request, response) =>
    void response.end(bytes)

const ask = () =>
  new OpenAI({ apiKey: guard.keys.user, baseURL: `${guard.url}/v1`, maxRetries: 0 }).chat.completions.create({
    model: 'demo-small',
    messages: [{ role: 'user', content: 'hello' }],
  })
const readiness = async () => {
  const answer = await fetch(`${guard.adminUrl}/readyz`)
  return { status: answer.status, text: await answer.text() }
}
const until = async (what: () => Promise<boolean>): Promise<void> => {
  while (!(await what())) await new Promise((done) => setTimeout(done, 50))
}
const revision = async () => {
  await ask()
  return (await guard.records()).at(-1) as unknown as { readonly policy: string }
}

test('without a bundle the guard is not ready and refuses; with the first one it serves', async () => {
  await start((_request, response) => void response.writeHead(503).end())
  expect(await readiness()).toMatchObject({ status: 503, text: expect.stringContaining('policy bundle') })
  await expect(ask()).rejects.toMatchObject({ status: 503 })
  server.answer = serves(await archive(canonicalFiles('first')))
  await until(async () => (await readiness()).status === 200)
  expect(JSON.stringify(await revision())).toContain('first')
})

test('a newer bundle takes over while it runs; one with a bad signature never does', async () => {
  await start(serves(await archive(canonicalFiles('one'))))
  await until(async () => (await readiness()).status === 200)
  const forged = await signedArchive(keyPair())(canonicalFiles('forged'))
  server.answer = serves(forged)
  await until(() => Promise.resolve(guard.logged().includes('policy_bundle_rejected')))
  expect(JSON.stringify(await revision())).toContain('one')
  server.answer = serves(await archive(canonicalFiles('two')))
  await until(async () => JSON.stringify(await revision()).includes('"two'))
})

test('the configuration can be loaded again while a bundle is followed', async () => {
  await start(serves(await archive(canonicalFiles('kept'))))
  await until(async () => (await readiness()).status === 200)
  server.answer = (_request, response) => void response.writeHead(500).end()
  await guard.running.apply(guard.config())
  expect(JSON.stringify(await revision())).toContain('kept')
})
