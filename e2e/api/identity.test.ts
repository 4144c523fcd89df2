import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../cluster/processes.ts'
import { api, type Api } from '../support/api.ts'
import { modelPod, startController, webhookFor, type RunningController } from '../support/controller.ts'

let cluster: Api
let controller: RunningController
let home: string
let team: string
let folder: string
let csr: string

beforeAll(async () => {
  cluster = await api()
  home = await cluster.namespace('ctl')
  team = await cluster.namespace('team')
  controller = await startController(cluster, home, { certificates: { webhooks: [home] } })
  await cluster.apply(webhookFor(home, team, controller.port))
  await eventually(async () => {
    await cluster.kubectl(['-n', team, 'create', '-f', '-'], modelPod('guarded'))
    const found = await cluster.kubectl([
      '-n',
      team,
      'get',
      'pods',
      '-l',
      'postern.dev/injected',
      '-o',
      'name',
    ])
    if (found.includes('guarded')) return
    await cluster.kubectl(['-n', team, 'delete', 'pod', 'guarded', '--now'])
    throw new Error('the webhook is not in force yet')
  }, 60)
  await cluster.kubectl(['-n', team, 'create', 'service', 'clusterip', 'model', '--tcp=80:8000'])
  await cluster.kubectl(['-n', team, 'create', 'service', 'clusterip', 'other', '--tcp=80:8000'])
  folder = mkdtempSync(join(tmpdir(), 'postern-identity-'))
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'key',
    '-out',
    'csr',
  ]
  execFileSync('openssl', ['req', ...key, '-subj', '/CN=admin', '-addext', 'subjectAltName=DNS:evil'], {
    cwd: folder,
    stdio: 'ignore',
  })
  csr = readFileSync(join(folder, 'csr'), 'utf8')
})

afterAll(async () => {
  await controller.kill()
  await cluster.kubectl(['delete', 'mutatingwebhookconfiguration', home])
  rmSync(folder, { recursive: true, force: true })
})

const token = async (pod: string, audience = 'postern-controller'): Promise<string> => {
  const uid = await cluster.kubectl(['-n', team, 'get', 'pod', pod, '-o', 'jsonpath={.metadata.uid}'])
  const bound = ['--bound-object-kind=Pod', `--bound-object-name=${pod}`, `--bound-object-uid=${uid}`]
  return (
    await cluster.kubectl(['-n', team, 'create', 'token', 'default', `--audience=${audience}`, ...bound])
  ).trim()
}

const authority = async (): Promise<string> =>
  Buffer.from(
    await cluster.kubectl(['-n', home, 'get', 'secret', 'postern-ca', '-o', 'jsonpath={.data.ca\\.crt}']),
    'base64',
  ).toString()

interface Reply {
  readonly status: number
  readonly body: {
    readonly certificate: string
    readonly ca: string
    readonly notAfter: string
    readonly error: string
  }
}

const ask = async (bearer: string, body = csr): Promise<Reply> => {
  const ca = await authority()
  return new Promise((done, failed) => {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/pkcs10' }
    const target = {
      host: '127.0.0.1',
      port: controller.port,
      path: '/v1/identity',
      method: 'POST',
      headers,
      ca,
    }
    const sent = request(target, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        done({
          status: response.statusCode ?? 0,
          body: JSON.parse(Buffer.concat(chunks).toString()) as Reply['body'],
        })
      })
    })
    sent.on('error', failed)
    sent.end(body)
  })
}

test('a guarded pod gets a certificate in the name of its account and its Services, whatever it asks for', async () => {
  const { status, body } = await ask(await token('guarded'))
  expect(body.error).toBeUndefined()
  expect(status).toBe(200)
  const leaf = new X509Certificate(body.certificate)
  const ca = new X509Certificate(body.ca)
  expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true)
  expect(leaf.subjectAltName).toBe(
    `URI:spiffe://cluster.local/ns/${team}/sa/default, DNS:model, DNS:model.${team}, DNS:model.${team}.svc, DNS:model.${team}.svc.cluster.local`,
  )
  expect(new Date(body.notAfter)).toEqual(new Date(leaf.validTo))
})

test('a token for another audience, of no pod, or broken is refused', async () => {
  expect((await ask(await token('guarded', 'somebody-else'))).status).toBe(401)
  const loose = await cluster.kubectl([
    '-n',
    team,
    'create',
    'token',
    'default',
    '--audience=postern-controller',
  ])
  expect(await ask(loose.trim())).toMatchObject({
    status: 403,
    body: { error: expect.stringMatching(/not bound/) },
  })
  expect((await ask('x.y.z')).status).toBe(401)
  expect((await ask('')).status).toBe(401)
})

test('a request that proves no key is refused', async () => {
  const reply = await ask(await token('guarded'), 'not a request')
  expect(reply).toMatchObject({ status: 400, body: { error: expect.stringMatching(/PKCS#10/) } })
})

test('a pod without a guard gets nothing, and neither does one that is deleted', async () => {
  const plain = modelPod('plain').replace('postern.dev/inject: "true"', 'postern.dev/injected: "true"')
  await cluster.kubectl(['-n', team, 'create', '-f', '-'], plain)
  expect(await ask(await token('plain'))).toMatchObject({
    status: 403,
    body: { error: expect.stringMatching(/no guard/) },
  })
  await cluster.kubectl(['-n', team, 'create', '-f', '-'], modelPod('gone'))
  const held = await token('gone')
  expect((await ask(held)).status).toBe(200)
  await cluster.kubectl(['-n', team, 'delete', 'pod', 'gone', '--now'])
  await eventually(async () => {
    const { status } = await ask(held)
    if (status === 429 || status === 200) throw new Error('the API server still knows the token')
    expect([401, 403]).toContain(status)
  }, 30)
})
