import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { api } from '../support/api.ts'
import { type Api, type Client, manifest, startClient, TOOLS } from '../support/full.ts'
import { FETCH, type Signed, workshop } from '../support/signed-models.ts'

const ROOT = join(import.meta.dirname, '../..')
const LOCAL = { repository: 'postern.local/postern', tag: 'e2e', pullPolicy: 'Never' }
const SMALL = { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '384Mi' } }

const team = workshop()
let cluster: Api
let namespace: string
let client: Client
let signed: Signed

/** Signed and registered as a team does it; the ConfigMap and the Secret that its cluster is given. */
const signAndRegister = (): readonly object[] => {
  signed = team.release('1', { folder: 'support', servesAs: 'demo-small' })
  team.promote('1', 'champion')
  const object = (kind: string, name: string, more: object) => ({
    ...{ apiVersion: 'v1', kind },
    ...{ metadata: { name, namespace }, ...more },
  })
  return [
    object('ConfigMap', 'model-signers', { data: { 'model.pub': team.publicKey } }),
    object('Secret', 'model-registry', { stringData: { 'models.json': team.registry() } }),
  ]
}

const install = (...more: readonly string[]): Promise<string> => {
  const values = {
    guard: {
      image: LOCAL,
      resources: SMALL,
      drainSeconds: 1,
      secret: 'model-registry',
      config: {
        modelRegistry: { file: '/etc/postern/secrets/models.json' },
        models: [
          {
            name: 'demo-small',
            targets: [{ upstream: 'model', follow: { model: 'support', alias: 'champion' } }],
          },
        ],
      },
    },
    download: {
      enabled: true,
      image: TOOLS,
      command: ['node', '--eval', FETCH],
      env: [{ name: 'FILES', value: JSON.stringify(team.files('support')) }],
      resources: SMALL,
    },
    model: {
      resources: SMALL,
      verify: {
        ...{ enabled: true, folder: 'support', publicKey: { configMap: 'model-signers' } },
        ...{ digest: signed.digest, resources: SMALL },
      },
    },
  }
  const command = ['upgrade', '--install', 'chat', join(ROOT, 'charts/llm-api'), '--namespace', namespace]
  return cluster.helm([...command, ...more, '--values', '-'], JSON.stringify(values))
}

interface Status {
  readonly name: string
  readonly state: { readonly waiting?: { readonly reason: string } }
  readonly lastState: { readonly terminated?: { readonly exitCode: number; readonly message: string } }
}

interface Pod {
  readonly metadata: { readonly name: string }
  readonly status: {
    readonly initContainerStatuses?: readonly Status[]
    readonly containerStatuses?: readonly Status[]
  }
}

const pods = async (): Promise<readonly Pod[]> => {
  const selected = ['-l', 'app.kubernetes.io/component=model', '-o', 'json']
  return (
    JSON.parse(await cluster.kubectl(['-n', namespace, 'get', 'pods', ...selected])) as {
      items: readonly Pod[]
    }
  ).items
}

const logs = (container: string): Promise<string> =>
  cluster.kubectl(['-n', namespace, 'logs', good, '-c', container])

const key = (): Promise<string> =>
  cluster.kubectl([
    ...['-n', namespace, 'get', 'secret', 'chat-llm-api-api-key'],
    '--output=go-template={{.data.key | base64decode}}',
  ])

let good: string

beforeAll(async () => {
  cluster = await api()
  namespace = await cluster.namespace('verified')
  await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  await cluster.apply(manifest(...signAndRegister()))
  const [started] = await Promise.all([
    startClient(namespace),
    install('--wait', '--timeout', '180s').then(async () => {
      good = (await pods())[0]?.metadata.name ?? ''
    }),
  ])
  client = started
}, 300_000)

afterAll(async () => {
  await cluster.helm(['uninstall', 'chat', '--namespace', namespace, '--ignore-not-found'])
  team.end()
}, 120_000)

const ask = async (): Promise<number> =>
  (await client.chat({ url: `http://chat-llm-api.${namespace}`, token: await key(), text: 'hello there' }))
    .status

test('a signed model is served, and the record of an answer names the model that was verified', async () => {
  expect(await ask()).toBe(200)
  const [line = ''] = (await logs('verify-model')).trim().split('\n')
  expect(JSON.parse(line)).toEqual({ verified: '/models/support', name: 'support', files: 2, ...signed })
  const served = { name: 'support', version: '1', ...signed }
  await eventually(async () => {
    const records = (await logs('postern')).split('\n').filter((text) => text.includes('"served":{'))
    expect(records.map((text) => (JSON.parse(text) as { served: unknown }).served)).toContainEqual(served)
  }, 20)
})

test('the model server cannot change what was verified', async () => {
  const write = `require('node:fs').appendFileSync('/models/support/weights.bin', 'x')`
  await expect(
    cluster.kubectl(['-n', namespace, 'exec', good, '-c', 'model', '--', '/nodejs/bin/node', '-e', write]),
  ).rejects.toThrow(/EROFS/)
})

test('a changed byte keeps a pod from starting, its status names the file, and the former pod goes on serving', async () => {
  team.spoil('support')
  await install()
  await eventually(async () => {
    const bad = (await pods()).find(({ metadata }) => metadata.name !== good)
    const verify = bad?.status.initContainerStatuses?.find(({ name }) => name === 'verify-model')
    expect(verify?.lastState.terminated).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /^the model is not served: \/models\/support is not what was signed: weights\.bin was changed\. .+\n$/,
      ),
    })
    const model = bad?.status.containerStatuses?.find(({ name }) => name === 'model')
    expect(model?.state.waiting?.reason).toBe('PodInitializing')
  }, 60)
  expect(await ask()).toBe(200)
})
