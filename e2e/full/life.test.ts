import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { type Api, model, rolledOut } from '../support/full.ts'
import { install, RELEASE, settled, uninstall } from '../support/installation.ts'
import { api } from '../support/api.ts'

let cluster: Api
let before: readonly string[]

/** Every object of every kind, but for what comes and goes by itself. */
const everything = async (): Promise<readonly string[]> => {
  const kinds = (await cluster.kubectl(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n')
  const lasting = kinds.filter(
    (kind) => !/^(events|endpoints|endpointslices|leases|componentstatuses|pods|nodes)(\.|$)/.test(kind),
  )
  const template = '{range .items[*]}{.kind}{"/"}{.metadata.namespace}{"/"}{.metadata.name}{"\\n"}{end}'
  const listed = await cluster.kubectl([
    'get',
    lasting.join(','),
    '-A',
    '--ignore-not-found',
    '-o',
    `jsonpath=${template}`,
  ])
  return [...new Set(listed.trim().split('\n'))]
    .filter((name) => !/^(ReplicaSet|ControllerRevision)/.test(name))
    .toSorted()
}

/** Of the guard in the newest pod. */
const imageOf = (namespace: string): Promise<string> =>
  cluster.kubectl([
    ...['-n', namespace, 'get', 'pods', '-l', 'app=model', '--sort-by=.metadata.creationTimestamp', '-o'],
    'jsonpath={.items[-1:].spec.initContainers[?(@.name=="postern")].image}',
  ])

beforeAll(async () => {
  cluster = await api()
  await uninstall()
  await cluster.kubectl(['delete', 'namespace', RELEASE, '--ignore-not-found', '--wait'])
  before = await everything()
}, 240_000)

afterAll(uninstall, 120_000)

test('upgrade, rollback and uninstall leave running models alone, and nothing behind', async () => {
  await install()
  const namespace = await cluster.namespace('life')
  await cluster.apply(model({ name: 'model', namespace, labels: { 'postern.dev/inject': 'true' } }))
  await rolledOut(cluster, namespace, 'model')
  expect(await imageOf(namespace)).toBe('postern.local/postern:e2e')

  await install({ image: { tag: 'e2e-next' } })
  expect(await imageOf(namespace)).toBe('postern.local/postern:e2e')
  await cluster.kubectl(['-n', namespace, 'rollout', 'restart', 'deployment/model'])
  await rolledOut(cluster, namespace, 'model')
  expect(await imageOf(namespace)).toBe('postern.local/postern:e2e-next')

  await cluster.helm(['rollback', RELEASE, '1', '--namespace', RELEASE, '--wait', '--timeout', '180s'])
  await settled(cluster)
  await cluster.kubectl(['-n', namespace, 'rollout', 'restart', 'deployment/model'])
  await rolledOut(cluster, namespace, 'model')
  expect(await imageOf(namespace)).toBe('postern.local/postern:e2e')

  await cluster.kubectl(['delete', 'namespace', namespace, '--wait'])
  await uninstall()
  await cluster.kubectl(['delete', 'namespace', RELEASE, '--wait'])
  await eventually(async () => expect(await everything()).toEqual(before), 60)
}, 900_000)
