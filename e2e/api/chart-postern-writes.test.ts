import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { modelPod, release, RELEASE, type Release } from './chart-release.ts'

let cluster: Release

beforeAll(async () => {
  cluster = await release()
  await cluster.install({})
})

afterAll(() => cluster.end())

describe('what the controller may write', () => {
  const trust = (name: string, namespace: string) =>
    `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: ${namespace}}, data: {ca.crt: x}}`
  const policy = (name: string) =>
    `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: ${cluster.models}}, spec: {podSelector: {}}}`
  const apply = (text: string, ...who: readonly string[]) =>
    cluster.kubectl(
      [
        'apply',
        '--server-side',
        '--field-manager=postern-controller',
        '--validate=ignore',
        '-f',
        '-',
        ...who,
      ],
      text,
    )

  test('postern-trust and postern-guard-<port> are its own, and nobody else writes them', async () => {
    await apply(trust('postern-trust', cluster.models), cluster.asController)
    await apply(policy('postern-guard-8080'), cluster.asController)
    for (const text of [
      trust('postern-trust', cluster.models).replace('x}', 'other}'),
      policy('postern-guard-8000'),
    ])
      await expect(apply(text)).rejects.toThrow(/only the Postern controller writes/)
    for (const what of ['configmap/postern-trust', 'networkpolicy/postern-guard-8080'])
      await expect(cluster.kubectl(['-n', cluster.models, 'delete', what])).rejects.toThrow(
        /only the Postern controller writes/,
      )
  })

  test('it writes no other ConfigMap, NetworkPolicy, Secret or Lease', async () => {
    await expect(apply(trust('other', cluster.models), cluster.asController)).rejects.toThrow(/forbidden/i)
    await expect(apply(policy('allow-all'), cluster.asController)).rejects.toThrow(
      /called postern-guard-<port>/,
    )
    await expect(apply(policy('postern-guard-x'), cluster.asController)).rejects.toThrow(
      /called postern-guard-<port>/,
    )
    await apply(trust('postern-bundle', cluster.home), cluster.asController)
    // A stolen token must not make a profile of its own, with which admission then compares.
    const profiles = await cluster.kubectl([
      '-n',
      cluster.home,
      'get',
      'configmap',
      `${RELEASE}-guard`,
      '-o',
      'json',
    ])
    const own = (more: string) =>
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${RELEASE}-guard, namespace: ${cluster.home}${more}}`
    await expect(apply(own('}, data: {open.yaml: x}'), cluster.asController)).rejects.toThrow(/nothing else/)
    await expect(
      apply(own(', labels: {openpolicyagent.org/policy: rego}}'), cluster.asController),
    ).rejects.toThrow(/nothing else/)
    await apply(own(', annotations: {openpolicyagent.org/kube-mgmt-status: x}}'), cluster.asController)
    expect(
      (
        JSON.parse(
          await cluster.kubectl(['-n', cluster.home, 'get', 'configmap', `${RELEASE}-guard`, '-o', 'json']),
        ) as { data: unknown }
      ).data,
    ).toEqual((JSON.parse(profiles) as { data: unknown }).data)
    const secret = (name: string) =>
      `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: ${cluster.home}}}`
    const make = (text: string) =>
      cluster.kubectl(['create', '--validate=ignore', '-f', '-', cluster.asController], text)
    await make(secret(`${RELEASE}-ca`))
    await expect(make(secret('other'))).rejects.toThrow(/no other/)
    await expect(
      cluster.kubectl(['-n', cluster.home, 'get', 'secret', 'other', cluster.asController]),
    ).rejects.toThrow(/forbidden/i)
    const lease = (name: string) =>
      `{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: ${name}, namespace: ${cluster.home}}, spec: {}}`
    await make(lease(`${RELEASE}-controller`))
    await expect(make(lease('other'))).rejects.toThrow(/no other/)
  })
})

test('kubectl exec beside a guard is refused, unless the value says otherwise', async () => {
  await cluster.kubectl(['label', 'namespace', cluster.models, 'postern.dev/allow-exempt=true'])
  const pod = modelPod(cluster.models, (pod) => (pod.metadata!.labels = { 'postern.dev/exempt': 'true' }))
  await eventually(() => cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod)), 20)
  const exec = () => cluster.kubectl(['-n', cluster.models, 'exec', 'model', '--', 'true'])
  await expect(exec()).rejects.toThrow(/denied request: this namespace is guarded/)
  await cluster.install({ admission: { debug: 'warn' } })
  await eventually(() => expect(exec()).rejects.toThrow(/does not have a host/), 20)
  await cluster.install({ admission: { debug: 'allow' } })
  await eventually(() => expect(exec()).rejects.not.toThrow(/this namespace is guarded/), 20)
  await cluster.kubectl(['-n', cluster.models, 'delete', 'pod', 'model', '--force'])
})
