import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import type { Api } from '../support/api.ts'
import { CHART, release, RELEASE, type Release } from './chart-release.ts'

/** Every object of every kind that an uninstall should take away, and those that are there anyway. */
const everything = async ({ kubectl }: Api): Promise<readonly string[]> => {
  const kinds = (await kubectl(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n')
  const listed = kinds.filter(
    (kind) => !/^(events|componentstatuses|leases|endpoints|endpointslices|ipaddresses)/.test(kind),
  )
  const out = await kubectl([
    'get',
    listed.join(','),
    '-A',
    '--ignore-not-found',
    '-o',
    'custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name',
    '--no-headers',
  ])
  return out
    .trim()
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .sort()
}

let cluster: Release
let before: readonly string[]

beforeAll(async () => {
  cluster = await release()
  before = await everything(cluster)
  await cluster.install({})
})

afterAll(() => cluster.end())

const bundle = () =>
  cluster.kubectl([
    'get',
    'mutatingwebhookconfiguration',
    RELEASE,
    '-o',
    'jsonpath={.webhooks[*].clientConfig.caBundle}',
  ])

test('an upgrade and a rollback keep the caBundle that the controller wrote', async () => {
  const CA = Buffer.from(
    await cluster.kubectl([
      '-n',
      cluster.home,
      'get',
      'configmap',
      'kube-root-ca.crt',
      '-o',
      'jsonpath={.data.ca\\.crt}',
    ]),
  ).toString('base64')
  await cluster.kubectl([
    'patch',
    'mutatingwebhookconfiguration',
    RELEASE,
    '--type=json',
    cluster.asController,
    '-p',
    JSON.stringify(
      [0, 1].map((i) => ({ op: 'add', path: `/webhooks/${i}/clientConfig/caBundle`, value: CA })),
    ),
  ])
  expect(await bundle()).toBe(`${CA} ${CA}`)
  await cluster.install({ injection: { timeoutSeconds: 7 }, controller: { replicas: 3 } })
  expect(await bundle()).toBe(`${CA} ${CA}`)
  expect(
    await cluster.kubectl([
      '-n',
      cluster.home,
      'get',
      'deployment',
      `${RELEASE}-controller`,
      '-o',
      'jsonpath={.spec.replicas}',
    ]),
  ).toBe('3')
  await cluster.helm(['rollback', RELEASE, '-n', cluster.home])
  expect(await bundle()).toBe(`${CA} ${CA}`)
  expect(
    await cluster.kubectl([
      '-n',
      cluster.home,
      'get',
      'deployment',
      `${RELEASE}-controller`,
      '-o',
      'jsonpath={.spec.replicas}',
    ]),
  ).toBe('2')
})

test('a second release in the same cluster is refused, by a sentence that says which one is there', async () => {
  const elsewhere = await cluster.namespace('second')
  const another = cluster.helm(['install', 'another', CHART, '-n', elsewhere])
  await expect(another).rejects.toThrow(
    `this cluster has Postern already, as release ${RELEASE} in namespace ${cluster.home}, and one guards the whole cluster.`,
  )
  expect(await cluster.kubectl(['get', 'clusterrole', 'another-controller', '--ignore-not-found'])).toBe('')
  await cluster.kubectl(['delete', 'namespace', elsewhere, '--wait=false'])
})

test.each([
  ['server-side', []],
  ['client-side', ['--server-side=false']],
])('an uninstall after a %s install leaves nothing, also of what the controller made', async (_, how) => {
  await cluster.helm(['uninstall', RELEASE, '-n', cluster.home, '--wait', '--ignore-not-found'])
  await cluster.install(
    {
      gateway: { enabled: true, autoscaling: { enabled: true }, configuration: openai },
      monitoring: { dashboards: { enabled: true } },
      policies: { data: { tenants: {} } },
    },
    how,
  )
  const uid = await cluster.kubectl([
    'get',
    'clusterrole',
    `${RELEASE}-controller`,
    '-o',
    'jsonpath={.metadata.uid}',
  ])
  const owner = `ownerReferences: [{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, name: ${RELEASE}-controller, uid: ${uid}}]`
  for (const [kind, name, namespace] of [
    ['ConfigMap', 'postern-trust', cluster.models],
    ['ConfigMap', 'postern-trust', cluster.home],
    ['ConfigMap', 'postern-bundle', cluster.home],
    ['Secret', `${RELEASE}-ca`, cluster.home],
  ])
    await cluster.kubectl(
      [
        'apply',
        '--server-side',
        '--force-conflicts',
        '--validate=ignore',
        '-f',
        '-',
        ...(kind === 'ConfigMap' ? [cluster.asController] : []),
      ],
      `{apiVersion: v1, kind: ${kind}, metadata: {name: ${name}, namespace: ${namespace}, ${owner}}}`,
    )
  await cluster.helm(['uninstall', RELEASE, '-n', cluster.home, '--wait', '--ignore-not-found'])
  await eventually(
    async () => expect((await everything(cluster)).filter((line) => !before.includes(line))).toEqual([]),
    60,
  )
})

const openai = {
  upstreams: [{ name: 'model', url: 'https://llm.example.com' }],
  models: [{ name: 'm', targets: [{ upstream: 'model' }] }],
}
