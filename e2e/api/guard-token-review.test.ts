import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import OpenAI from 'openai'
import { startTestGuard, type TestGuard } from '../../proxy/test/start.ts'
import { api, type Api } from '../support/api.ts'

let cluster: Api
let guard: TestGuard
let namespace: string
let folder: string

const token = async (account: string, audience: string): Promise<string> =>
  (await cluster.kubectl(['-n', namespace, 'create', 'token', account, '--audience', audience])).trim()

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string }
  }[]
}

beforeAll(async () => {
  cluster = await api()
  namespace = await cluster.namespace('token-review')
  folder = mkdtempSync(join(tmpdir(), 'postern-token-review-'))
  await cluster.kubectl(['-n', namespace, 'create', 'serviceaccount', 'guard'])
  await cluster.kubectl(['-n', namespace, 'create', 'serviceaccount', 'batch'])
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    namespace,
    '--clusterrole',
    'system:auth-delegator',
    '--serviceaccount',
    `${namespace}:guard`,
  ])
  const config = parse(await cluster.kubectl(['config', 'view', '--raw', '--flatten'])) as Kubeconfig
  const { server, 'certificate-authority-data': ca } = config.clusters[0]!.cluster
  writeFileSync(join(folder, 'ca.crt'), Buffer.from(ca, 'base64'))
  writeFileSync(
    join(folder, 'token'),
    (await cluster.kubectl(['-n', namespace, 'create', 'token', 'guard'])).trim(),
  )
  guard = await startTestGuard({
    config: {
      identity: {
        serviceAccounts: {
          audiences: ['postern'],
          server,
          caFile: join(folder, 'ca.crt'),
          tokenFile: join(folder, 'token'),
          cache: '0s',
          grants: [{ match: `${namespace}/batch`, tenant: 'acme', roles: ['user'] }],
        },
      },
    },
  })
})
afterAll(async () => {
  await guard.close()
  await cluster.kubectl(['delete', 'clusterrolebinding', namespace])
  rmSync(folder, { recursive: true })
})

const ask = (apiKey: string) =>
  new OpenAI({ apiKey, baseURL: `${guard.url}/v1`, maxRetries: 0 }).chat.completions.create({
    model: 'demo-small',
    messages: [{ role: 'user', content: 'hello' }],
  })

test('a ServiceAccount token for the guard is taken, by the real API server', async () => {
  const answer = await ask(await token('batch', 'postern'))
  expect(answer.choices[0]?.finish_reason).toBe('stop')
  expect((await guard.records()).at(-1)?.caller).toMatchObject({
    subject: `system:serviceaccount:${namespace}:batch`,
    tenant: 'acme',
  })
})

test('a token for somebody else is 401, and an account without a grant may nothing', async () => {
  await expect(ask(await token('batch', 'https://kubernetes.default.svc'))).rejects.toMatchObject({
    status: 401,
  })
  await expect(ask(await token('default', 'postern'))).rejects.toMatchObject({ status: 403 })
})

test('the token of a deleted account ends with it', async () => {
  const late = await token('batch', 'postern')
  await cluster.kubectl(['-n', namespace, 'delete', 'serviceaccount', 'batch'])
  await expect(ask(late)).rejects.toMatchObject({ status: 401 })
})
