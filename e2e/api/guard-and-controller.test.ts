import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { Agent, fetch } from 'undici'
import OpenAI from 'openai'
import { startTestGuard, type TestGuard } from '../../proxy/test/start.ts'
import { eventually } from '../cluster/processes.ts'
import { api, type Api } from '../support/api.ts'
import { modelPod, startController, webhookFor, type RunningController } from '../support/controller.ts'

let cluster: Api
let controller: RunningController
let guard: TestGuard
let home: string
let team: string
let folder: string

const token = async (account: string, audience: string, pod?: string): Promise<string> => {
  const uid =
    pod && (await cluster.kubectl(['-n', team, 'get', 'pod', pod, '-o', 'jsonpath={.metadata.uid}']))
  const bound =
    pod && uid ? ['--bound-object-kind=Pod', `--bound-object-name=${pod}`, `--bound-object-uid=${uid}`] : []
  return (
    await cluster.kubectl(['-n', team, 'create', 'token', account, '--audience', audience, ...bound])
  ).trim()
}

const trusted = (key: string): Promise<string> =>
  cluster.kubectl([
    '-n',
    team,
    'get',
    'configmap',
    'postern-trust',
    '-o',
    `jsonpath={.data.${key.replace('.', '\\.')}}`,
  ])

/** The guard of the pod `guarded`, run here because pods do not run on this tier: with the files that the pod would have. */
beforeAll(async () => {
  cluster = await api()
  home = await cluster.namespace('ctl')
  team = await cluster.namespace('team')
  await cluster.kubectl(['create', 'clusterrole', home, '--verb=get', '--resource=configmaps'])
  controller = await startController(cluster, home, { certificates: { webhooks: [home] } })
  await cluster.apply(webhookFor(home, team, controller.port))
  await cluster.kubectl(['-n', team, 'create', 'service', 'clusterip', 'model', '--tcp=80:8000'])
  await cluster.kubectl(['-n', team, 'create', 'serviceaccount', 'batch'])
  await eventually(() => cluster.kubectl(['-n', team, 'create', '-f', '-'], modelPod('guarded')), 60)
  await eventually(async () => {
    if ((await trusted('ca.crt')) === '') throw new Error('no trust yet')
  }, 60)
  folder = mkdtempSync(join(tmpdir(), 'postern-guarded-'))
  writeFileSync(join(folder, 'ca.crt'), await trusted('ca.crt'))
  writeFileSync(join(folder, 'bundle.pub'), await trusted('bundle.pub'))
  writeFileSync(join(folder, 'token'), await token('default', 'postern-controller', 'guarded'))
  const server = `https://127.0.0.1:${controller.port}`
  const caFile = join(folder, 'ca.crt')
  const tokenFile = join(folder, 'token')
  const identity = join(folder, 'identity')
  guard = await startTestGuard({
    config: {
      server: {
        listen: { host: '127.0.0.1', port: 0 },
        tls: {
          certFile: join(identity, 'tls.crt'),
          keyFile: join(identity, 'tls.key'),
          clientCaFile: join(identity, 'ca.crt'),
          clientAuth: 'optional',
        },
      },
      workload: { source: 'controller', url: server, caFile, tokenFile, directory: identity },
      policy: {
        remote: {
          url: `${server}/v1/bundles/postern.tar.gz`,
          caFile,
          tokenFile,
          publicKeyFile: join(folder, 'bundle.pub'),
          file: join(folder, 'bundle.tar.gz'),
          minDelay: '1s',
          maxDelay: '2s',
        },
      },
      identity: {
        serviceAccounts: {
          audiences: ['postern'],
          ...{ server, caFile, tokenFile },
          grants: [{ match: '{tenant}/batch', roles: ['user'] }],
        },
      },
    },
  })
}, 180_000)

afterAll(async () => {
  await guard.close()
  await controller.kill()
  await cluster.kubectl(['delete', 'mutatingwebhookconfiguration', home])
  await cluster.kubectl(['delete', 'clusterrole', home])
  rmSync(folder, { recursive: true, force: true })
})

const ask = async (apiKey: string, text = 'hello') => {
  const dispatcher = new Agent({
    connect: { ca: readFileSync(join(folder, 'ca.crt'), 'utf8'), servername: `model.${team}.svc` },
  })
  const client = new OpenAI({
    apiKey,
    baseURL: `${guard.url.replace('http:', 'https:')}/v1`,
    maxRetries: 0,
    fetch: fetch as never,
    fetchOptions: { dispatcher } as never,
  })
  try {
    return await client.chat.completions.create({
      model: 'demo-small',
      messages: [{ role: 'user', content: text }],
    })
  } finally {
    await dispatcher.close()
  }
}

test('the guard has a certificate in the name of its pod, a signed policy, and knows callers by the controller', async () => {
  const leaf = new X509Certificate(readFileSync(join(folder, 'identity/tls.crt')))
  expect(leaf.subjectAltName).toContain(`URI:spiffe://cluster.local/ns/${team}/sa/default`)
  await eventually(async () => {
    if ((await fetch(`${guard.adminUrl}/readyz`)).status !== 200) throw new Error('not ready yet')
  }, 60)
  const answer = await ask(await token('batch', 'postern'))
  expect(answer.choices[0]?.finish_reason).toBe('stop')
  expect((await guard.records()).at(-1)?.caller).toMatchObject({
    subject: `system:serviceaccount:${team}:batch`,
    tenant: team,
  })
})

test('nobody else is known: another audience, the token that guards have, no token', async () => {
  await expect(ask(await token('batch', 'postern-controller'))).rejects.toMatchObject({ status: 401 })
  await expect(ask('nonsense')).rejects.toMatchObject({ status: 401 })
})

test('the controller reviews tokens for guards only, and only for named audiences', async () => {
  const dispatcher = new Agent({ connect: { ca: readFileSync(join(folder, 'ca.crt'), 'utf8') } })
  const review = async (bearer: string, spec: object) => {
    const answer = await fetch(
      `https://127.0.0.1:${controller.port}/apis/authentication.k8s.io/v1/tokenreviews`,
      {
        dispatcher,
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec }),
      },
    )
    return {
      status: answer.status,
      body: (await answer.json()) as { readonly status?: { readonly authenticated?: boolean } },
    }
  }
  const own = readFileSync(join(folder, 'token'), 'utf8')
  const callers = await token('batch', 'postern')
  expect(await review(own, { token: callers, audiences: ['postern'] })).toMatchObject({
    status: 201,
    body: { status: { authenticated: true } },
  })
  expect((await review(own, { token: callers, audiences: ['other'] })).body.status?.authenticated).not.toBe(
    true,
  )
  expect((await review(own, { token: callers })).status).toBe(400)
  expect((await review(callers, { token: callers, audiences: ['postern'] })).status).toBe(401)
  await dispatcher.close()
})

test('a policy ConfigMap changes what the running guard decides', async () => {
  const caller = await token('batch', 'postern')
  await cluster.kubectl(
    ['-n', home, 'create', '-f', '-'],
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'no-small', labels: { 'openpolicyagent.org/data': 'opa' } },
      data: { 'roles.json': JSON.stringify({ roles: { user: { models: ['other-*'] } } }) },
    }),
  )
  await eventually(async () => {
    const status = await ask(caller).then(
      () => 200,
      (error: unknown) => (error as { status: number }).status,
    )
    if (status !== 403) throw new Error(`still ${status}`)
  }, 60)
})
