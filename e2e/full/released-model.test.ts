import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { type Api, type Client, manifest, RESTRICTED, serving, startClient, TOOLS } from '../support/full.ts'
import { guardedNamespace, installed } from '../support/installation.ts'
import { FETCH, type Files, type Signed, workshop } from '../support/signed-models.ts'

const GUARD_IMAGE = 'postern.local/postern:e2e'
const team = workshop()

let cluster: Api
let namespace: string
let client: Client
let versions: Readonly<Record<'1' | '2', Signed>>

const inNamespace = (...args: readonly string[]): Promise<string> =>
  cluster.kubectl(['-n', namespace, ...args])

const read = async <T>(...args: readonly string[]): Promise<T> =>
  JSON.parse(await inNamespace('get', ...args, '-o', 'json')) as T

/** Nobody may write a version, and it is all that is seen of the volume. */
const mountOf = (version: string): object => ({
  ...{ name: 'cache', subPath: version, mountPath: `/models/${version}`, readOnly: true },
})

const contained = { imagePullPolicy: 'Never', securityContext: RESTRICTED.container }

const check = (version: string): object => ({
  ...{ name: `verify-model-${version}`, image: GUARD_IMAGE, ...contained },
  command: ['/nodejs/bin/node', '/postern/security/src/model/init-container.ts'],
  args: [`/models/${version}`, '--public-key=/etc/model-key/model.pub'],
  terminationMessagePolicy: 'FallbackToLogsOnError',
  volumeMounts: [mountOf(version), { name: 'key', mountPath: '/etc/model-key', readOnly: true }],
})

interface Server {
  readonly name: string
  readonly files: Files
  /** Versions that are verified. */
  readonly checked?: readonly string[]
  /** Brought when the download runs again, because the model server ended after a second and everything starts anew in place. */
  readonly filesAgain?: Files
}

/** The kubelet removes all containers and begins with the first init container; volumes stay. */
const startsAnew = {
  args: ['--eval', 'setTimeout(() => process.exit(42), 1000)'],
  restartPolicy: 'Never',
  restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }],
}

/** One model server with both versions, as one that loads adapters has them. The guard comes by the webhook. */
const server = ({ name, files, checked = ['1', '2'], filesAgain }: Server): string => {
  const metadata = { name, namespace }
  const app = { app: name }
  const download = {
    ...{ name: 'download', image: TOOLS, ...contained, args: ['--eval', FETCH] },
    env: [
      { name: 'FILES', value: JSON.stringify(files) },
      { name: 'FILES_AGAIN', value: JSON.stringify(filesAgain ?? files) },
    ],
    volumeMounts: [{ name: 'cache', mountPath: '/models' }],
  }
  const model = {
    ...{ name: 'model', image: TOOLS, ...contained, args: ['model.ts'] },
    ports: [{ name: 'http', containerPort: 8000 }],
    readinessProbe: { httpGet: { path: '/v1/models', port: 'http' }, periodSeconds: 1, timeoutSeconds: 5 },
    volumeMounts: ['1', '2'].map(mountOf),
    ...(filesAgain && startsAnew),
  }
  const annotations = {
    ...{ 'postern.dev/profile': 'released', 'postern.dev/secret': 'model-registry' },
    // As charts/llm-api names them; the profile says how they are routed.
    'postern.dev/models': 'demo-small',
  }
  const template = {
    metadata: { labels: { ...app, 'postern.dev/inject': 'true' }, annotations },
    spec: {
      ...{ securityContext: RESTRICTED.pod, automountServiceAccountToken: false },
      initContainers: [download, ...checked.map(check)],
      containers: [model],
      volumes: [
        { name: 'cache', emptyDir: {} },
        { name: 'key', configMap: { name: 'model-signers' } },
      ],
    },
  }
  return manifest(
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: { selector: { matchLabels: app }, template },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: { selector: app, ports: [{ port: 80, targetPort: 'http' }] },
    },
  )
}

const registry = (): string =>
  manifest({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'model-registry', namespace } },
    stringData: { 'models.json': team.registry() },
  })

/** What the registry says comes to the guards: a pod that changes is synchronised at once, Secrets included. */
const released = async (): Promise<void> => {
  await cluster.apply(registry())
  await inNamespace('annotate', '--overwrite', 'pods', '--selector=app=support', `seen=${Date.now()}`)
}

/** How often each version answered, by the name that the model server has for it. */
const answers = async (times: number): Promise<Readonly<Record<string, number>>> => {
  const question = { url: `http://support.${namespace}`, token: await client.token(), times }
  const asked = JSON.stringify({ ...question, text: 'which model are you?' })
  return JSON.parse(await client.run('tally.ts', [], asked)) as Record<string, number>
}

const only = (name: string): Promise<void> =>
  eventually(async () => expect(await answers(8)).toEqual({ [name]: 8 }), 60)

/** Of the audit records, oldest first. */
const served = async (): Promise<readonly unknown[]> => {
  const log = await inNamespace('logs', 'deployment/support', '--container=postern')
  return log
    .split('\n')
    .filter((line) => line.includes('"type":"exchange"'))
    .map((line) => (JSON.parse(line) as { served?: unknown }).served)
}

const recorded = (version: '1' | '2') => ({ name: 'support', version, ...versions[version] })

beforeAll(async () => {
  versions = {
    1: team.release('1', { folder: '1', servesAs: 'support-1' }),
    2: team.release('2', { folder: '2', servesAs: 'support-2' }),
  }
  team.promote('1', 'champion')
  cluster = await installed()
  namespace = await guardedNamespace(cluster, 'released')
  await cluster.kubectl(['label', 'namespace', namespace, 'models=verified'])
  const signers = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'model-signers', namespace } }
  await cluster.apply(manifest({ ...signers, data: { 'model.pub': team.publicKey } }))
  await cluster.apply(registry())
  const files = { ...team.files('1'), ...team.files('2') }
  await cluster.apply(server({ name: 'support', files }))
  await cluster.apply(server({ name: 'unchecked', files, checked: [] }))
  team.spoil('2')
  const spoiled = { ...files, ...team.files('2') }
  await cluster.apply(server({ name: 'spoiled', files: spoiled }))
  await cluster.apply(server({ name: 'again', files, filesAgain: spoiled }))
  client = await startClient(await cluster.namespace('askers'))
  await serving(cluster, client, { namespace, name: 'support' })
}, 300_000)

// The node has two cores, and every guard asks for a tenth of one.
afterAll(async () => {
  await inNamespace('delete', 'deployments', '--all', '--wait=false')
  team.end()
})

test('a signed version is served once both were verified, and the record names version and signature', async () => {
  const [pod = ''] = (await inNamespace('get', 'pods', '--selector=app=support', '--output=name')).split('\n')
  for (const version of ['1', '2'] as const) {
    const log = await inNamespace('logs', pod, `--container=verify-model-${version}`)
    expect(JSON.parse(log)).toMatchObject({ verified: `/models/${version}`, ...versions[version] })
  }
  expect(await answers(8)).toEqual({ 'support-1': 8 })
  await eventually(async () => expect(await served()).toContainEqual(recorded('1')), 20)
  expect(await served()).not.toContainEqual(recorded('2'))
})

interface Events {
  readonly items: readonly { readonly reason: string; readonly message: string }[]
}

test('a Deployment without the check gets no pod, and its event says what to do', async () => {
  await eventually(async () => {
    const { items } = await read<Events>('events', '--field-selector=reason=FailedCreate')
    expect(items.map(({ message }) => message).join()).toMatch(
      /unchecked.* this namespace serves verified models only.* Set model\.verify\.enabled of charts\/llm-api/,
    )
  }, 30)
  expect(await inNamespace('get', 'pods', '--selector=app=unchecked', '--output=name')).toBe('')
})

interface Pods {
  readonly items: readonly { readonly status: Readonly<Record<string, readonly Status[]>> }[]
}

interface Status {
  readonly name: string
  readonly started?: boolean
  readonly restartCount: number
  readonly state: object
  readonly lastState: { readonly terminated?: { readonly exitCode: number; readonly message: string } }
}

/** The statuses of the first pod of an app, by container. */
const statuses = async (app: string): Promise<Readonly<Record<string, Status>>> => {
  const [pod] = (await read<Pods>('pods', `--selector=app=${app}`)).items
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {}
  return Object.fromEntries([...initContainerStatuses, ...containerStatuses].map((one) => [one.name, one]))
}

const refusal = {
  exitCode: 1,
  message: expect.stringMatching(/^the model is not served: .+ weights\.bin was changed\. .+\n$/),
}

test('a model with a changed file never starts, though its guard does, and the status says which file', async () => {
  await eventually(async () => {
    const of = await statuses('spoiled')
    expect(of.postern?.started).toBe(true)
    expect(of['verify-model-1']?.state).toMatchObject({ terminated: { exitCode: 0 } })
    expect(of['verify-model-2']?.lastState.terminated).toMatchObject(refusal)
    expect(of.model).toMatchObject({ restartCount: 0, started: false })
  }, 60)
})

test('a pod whose containers all start anew in place verifies again what its download brings then', async () => {
  await eventually(async () => {
    const of = await statuses('again')
    expect(of['verify-model-2']?.lastState.terminated).toMatchObject(refusal)
    expect(of.model).toMatchObject({ restartCount: 1, started: false })
  }, 90)
})

test('a canary takes its share, its promotion everything, and a rollback gives it back: every record says who answered', async () => {
  team.promote('2', 'canary')
  await released()
  await eventually(async () => expect(Object.keys(await answers(16))).toContain('support-2'), 60)
  const { 'support-1': champion = 0, 'support-2': canary = 0, ...others } = await answers(80)
  expect(others).toEqual({})
  expect(champion).toBeGreaterThan(canary)
  expect(canary).toBeGreaterThan(0)
  await eventually(async () => expect(await served()).toContainEqual(recorded('2')), 20)

  team.promote('2', 'champion')
  await released()
  await only('support-2')
  team.rollBack()
  await released()
  await eventually(async () => expect(Object.keys(await answers(16))).toContain('support-1'), 60)
  expect((await statuses('support')).model).toMatchObject({ restartCount: 0 })
})
