import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { stringify } from 'yaml'
import { hashPassword } from '../src/identity/password.ts'
import { startTestGuard, type TestGuard } from './start.ts'

let folder: string
let guard: TestGuard
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-simple-'))
  const account = async (name: string, password: string) => ({
    name,
    password: await hashPassword(password),
    tenant: 'acme',
    roles: ['user'],
  })
  writeFileSync(join(folder, 'users.yaml'), stringify([await account('ann', 'correct horse')]))
  writeFileSync(join(folder, 'clients.yaml'), stringify([await account('batch', 'battery staple')]))
  guard = await startTestGuard({
    config: {
      identity: {
        local: {
          issuer: 'https://guard.test',
          audience: 'llm',
          usersFile: join(folder, 'users.yaml'),
          clientsFile: join(folder, 'clients.yaml'),
        },
      },
    },
  })
})
afterAll(async () => {
  await guard.close()
  rmSync(folder, { recursive: true, force: true })
})

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(guard.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

interface Token {
  readonly access_token: string
  readonly expires_in: number
}

const login = async (): Promise<string> =>
  ((await (await post('/auth', { username: 'ann', password: 'correct horse' })).json()) as Token).access_token

describe('those who have no issuer', () => {
  test('get a short-lived token for a password, which verifies against the published keys', async () => {
    const keys = createRemoteJWKSet(new URL(`${guard.url}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(await login(), keys, {
      issuer: 'https://guard.test',
      audience: 'llm',
    })
    expect(payload.sub).toBe('ann')
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(900)
  })

  test('get one by client credentials, and errors in the shape of OAuth', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const basic = (secret: string) => ({
      ...form,
      authorization: `Basic ${Buffer.from(`batch:${secret}`).toString('base64')}`,
    })
    const good = await post('/oauth/token', 'grant_type=client_credentials', basic('battery%20staple'))
    expect([good.status, await good.json()]).toEqual([200, expect.objectContaining({ token_type: 'Bearer' })])
    const bad = await post('/oauth/token', 'grant_type=client_credentials', basic('wrong'))
    expect([bad.status, await bad.json()]).toEqual([
      401,
      expect.objectContaining({ error: 'invalid_client' }),
    ])
  })

  test('are refused with a challenge when the password is wrong', async () => {
    const answer = await post('/auth', { username: 'ann', password: 'wrong' })
    expect(answer.status).toBe(401)
  })
})

describe('the simple routes', () => {
  test('answer a prompt and a message, whole', async () => {
    const headers = { authorization: `Bearer ${await login()}` }
    const prompt = await post('/llm', { prompt: 'Hello' }, headers)
    expect([prompt.status, await prompt.json()]).toEqual([
      200,
      expect.objectContaining({ response: 'You said: Hello', finish_reason: 'stop', model: 'demo-small' }),
    ])
    const message = await post(
      '/chat',
      { message: 'again', history: [{ role: 'user', content: 'first' }] },
      headers,
    )
    expect([message.status, await message.json()]).toEqual([
      200,
      expect.objectContaining({ response: 'You said: again' }),
    ])
  })

  test('stream, with secrets taken out', async () => {
    const headers = { authorization: `Bearer ${await login()}` }
    const text = await (await post('/llm', { prompt: 'the deploy key', stream: true }, headers)).text()
    const deltas = [...text.matchAll(/data: (\{.*\})/g)].map(
      (match) => (JSON.parse(match[1] ?? '') as { delta?: string }).delta ?? '',
    )
    expect(deltas.join('')).toBe('The deploy key is [REDACTED_AWS_ACCESS_KEY], keep it safe.')
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  })

  test('ask for a credential in the words of HTTP', async () => {
    const answer = await post('/llm', { prompt: 'Hello' })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
  })
})
