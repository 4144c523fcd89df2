import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, fetch } from 'undici'
import { startTestGuard, type TestGuard } from '../../proxy/test/start.ts'
import { eventually } from '../cluster/processes.ts'
import { api, type Api } from '../support/api.ts'
import { modelPod, startController, webhookFor, type RunningController } from '../support/controller.ts'

const SECRET = 'a-secret-of-falcosidekick-0123456789'
const OPERATOR = 'a-secret-of-an-operator-0123456789'

let cluster: Api
let controller: RunningController
let guard: TestGuard
let home: string
let team: string
let folder: string
let dispatcher: Agent

const respondConfig = () => ({
  tokenFile: join(folder, 'webhook'),
  operatorTokenFile: join(folder, 'operator'),
  rules: [
    { name: 'shell', match: { rules: ['Terminal shell in container'] }, respond: 'quarantine' },
    { name: 'abuse', match: { sources: ['postern'] }, respond: 'revoke' },
  ],
  limits: { quarantines: 1 },
})

/** The guard of the pod `guarded`, run here because pods do not run on this tier: with the files that the pod would have. */
beforeAll(async () => {
  cluster = await api()
  home = await cluster.namespace('ctl')
  team = await cluster.namespace('team')
  folder = mkdtempSync(join(tmpdir(), 'postern-respond-'))
  writeFileSync(join(folder, 'webhook'), SECRET)
  writeFileSync(join(folder, 'operator'), OPERATOR)
  await cluster.kubectl(['create', 'clusterrole', home, '--verb=get', '--resource=configmaps'])
  const changes = { certificates: { webhooks: [home] }, respond: respondConfig() }
  controller = await startController(cluster, home, changes)
  await cluster.apply(webhookFor(home, team, controller.port))
  await eventually(() => cluster.kubectl(['-n', team, 'create', '-f', '-'], modelPod('guarded')), 60)
  await eventually(() => cluster.kubectl(['-n', team, 'create', '-f', '-'], modelPod('other')), 60)
  const trust = ['-n', team, 'get', 'configmap', 'postern-trust', '-o', 'jsonpath={.data.ca\\.crt}']
  const ca = await eventually(async () => {
    const text = await cluster.kubectl(trust)
    if (text === '') throw new Error('no trust yet')
    return text
  }, 60)
  writeFileSync(join(folder, 'ca.crt'), ca)
  dispatcher = new Agent({ connect: { ca } })
  const uid = await cluster.kubectl(['-n', team, 'get', 'pod', 'guarded', '-o', 'jsonpath={.metadata.uid}'])
  const bound = ['--bound-object-kind=Pod', '--bound-object-name=guarded', `--bound-object-uid=${uid}`]
  const token = ['-n', team, 'create', 'token', 'default', '--audience', 'postern-controller', ...bound]
  writeFileSync(join(folder, 'token'), (await cluster.kubectl(token)).trim())
  guard = await startTestGuard({
    config: {
      respond: {
        store: join(folder, 'own.json'),
        controller: {
          url: `https://127.0.0.1:${controller.port}`,
          caFile: join(folder, 'ca.crt'),
          tokenFile: join(folder, 'token'),
          keep: join(folder, 'kept.json'),
        },
      },
    },
  })
}, 180_000)

afterAll(async () => {
  await guard.close()
  await dispatcher.close()
  await controller.kill()
  await cluster.kubectl(['delete', 'mutatingwebhookconfiguration', home])
  await cluster.kubectl(['delete', 'clusterrole', home])
  rmSync(folder, { recursive: true, force: true })
})

const post = async (path: string, body: object, secret = SECRET) => {
  const answer = await fetch(`https://127.0.0.1:${controller.port}/v1/respond/${path}`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return {
    status: answer.status,
    json: (await answer.json()) as { orders?: { result: string; id: string }[] },
  }
}

const falco = (more: object, fields: object = {}) =>
  post('falco', {
    uuid: randomUUID(),
    output: 'A shell was spawned',
    priority: 'Critical',
    rule: 'Terminal shell in container',
    time: new Date().toISOString(),
    source: 'syscall',
    tags: [],
    hostname: 'node-1',
    output_fields: { 'k8s.ns.name': team, 'k8s.pod.name': 'guarded', ...fields },
    ...more,
  })

const undo = (id: string) => post('undo', { id, by: 'alice' }, OPERATOR)

const status = async (): Promise<number> => {
  const answer = await fetch(`${guard.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${guard.keys.user}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo-small', messages: [{ role: 'user', content: 'hello' }] }),
  })
  await answer.text()
  return answer.status
}

const becomes = (wanted: number) =>
  eventually(async () => {
    const now = await status()
    if (now !== wanted) throw new Error(`still ${now}`)
  }, 60)

const label = (pod: string): Promise<string> =>
  cluster.kubectl([
    '-n',
    team,
    'get',
    'pod',
    pod,
    '-o',
    'jsonpath={.metadata.labels.postern\\.dev/quarantine}',
  ])
const policies = (): Promise<string> => cluster.kubectl(['-n', team, 'get', 'networkpolicy', '-o', 'name'])

test('an event revokes a caller at the guards that follow, until it is undone', async () => {
  await becomes(200)
  const fields = { 'postern.subject': 'user-1', 'postern.tenant': 'acme', 'postern.via': 'api-key' }
  const { json } = await falco({ source: 'postern', rule: 'Postern caller refused too often' }, fields)
  expect(json.orders).toMatchObject([{ result: 'began' }])
  await becomes(403)
  await undo(json.orders?.[0]?.id ?? '')
  await becomes(200)
})

test('a pod is quarantined by label and NetworkPolicy, its guard answers nobody, and all of it is undone', async () => {
  const { json } = await falco({})
  expect(json.orders).toMatchObject([{ result: 'began' }])
  await becomes(503)
  await eventually(async () => {
    if ((await label('guarded')) !== 'true') throw new Error('not labelled')
  }, 60)
  expect(await label('other')).toBe('')
  expect(await policies()).toContain('postern-guard-quarantine')
  const spec = await cluster.kubectl([
    '-n',
    team,
    'get',
    'networkpolicy',
    'postern-guard-quarantine',
    '-o',
    'jsonpath={.spec}',
  ])
  expect(JSON.parse(spec)).toEqual({
    podSelector: { matchLabels: { 'postern.dev/quarantine': 'true' } },
    policyTypes: ['Ingress', 'Egress'],
  })
  const full = await falco({}, { 'k8s.pod.name': 'other' })
  expect(full.json.orders).toMatchObject([{ result: 'full' }])
  await undo(json.orders?.[0]?.id ?? '')
  await becomes(200)
  await eventually(async () => {
    if ((await label('guarded')) !== '' || (await policies()).includes('quarantine')) throw new Error('still')
  }, 60)
})

test('nobody quarantines what is protected, what has no guard or is not there, or without the secret', async () => {
  const results = []
  for (const fields of [
    { 'k8s.ns.name': 'kube-system', 'k8s.pod.name': 'coredns' },
    { 'k8s.pod.name': 'missing' },
    { 'k8s.pod.name': '../../secrets/x' },
  ])
    results.push((await falco({}, fields)).json.orders?.[0]?.result)
  expect(results).toEqual(['unknown', 'unknown', 'unknown'])
  expect((await post('falco', {}, OPERATOR)).status).toBe(401)
  expect((await post('undo', { id: 'x', by: 'x' }, SECRET)).status).toBe(401)
})

test('orders are in a ConfigMap, which outlives the controller', async () => {
  const fields = { 'postern.subject': 'user-1', 'postern.tenant': 'acme', 'postern.via': 'api-key' }
  await falco({ source: 'postern', rule: 'x' }, fields)
  const stored = ['-n', home, 'get', 'configmap', 'postern-responses', '-o', 'jsonpath={.data.orders\\.json}']
  const read = async (): Promise<{ orders: { ended?: object }[] }> =>
    JSON.parse(await cluster.kubectl(stored)) as { orders: { ended?: object }[] }
  expect((await read()).orders.filter(({ ended }) => ended === undefined)).toHaveLength(1)
  await becomes(403)
})
