import { expect, test } from '@jest/globals'
import { closedTargets, guardMissing, unguarded, type SeenPod } from './advice.ts'
import { guardedPod, seenNamespace, seenService } from './objects.ts'
import type { ReconcilerConfig } from './parts.ts'
import { wantedObjects } from './wanted.ts'

const owner = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'o', uid: 'u' }
const config: ReconcilerConfig = {
  ...{ namespace: 'postern', owner: 'o', guardPort: 8080, adminPort: 8081 },
  policies: { enabled: true, sources: '/', opa: '/' },
  networkPolicies: { enabled: true, monitoringNamespaces: [], clientNamespaces: ['web', 'apps'] },
}
const namespace = (name: string, injection?: string, more: object = {}) =>
  seenNamespace({
    metadata: {
      name,
      labels: injection === undefined ? {} : { 'postern.dev/injection': injection },
      ...more,
    },
  })
const pod = (space: string, port: string, status?: object) =>
  guardedPod({
    metadata: {
      ...{ name: 'p', namespace: space, labels: { 'postern.dev/guard-port': port, app: 'm' } },
      ...(status === undefined ? {} : { annotations: { 'postern.dev/status': JSON.stringify(status) } }),
    },
  })
const names = (
  namespaces: readonly ReturnType<typeof namespace>[],
  pods: readonly ReturnType<typeof pod>[] = [],
  its = config,
) =>
  wantedObjects({ config: its, owner, namespaces, pods, trust: { 'ca.crt': 'c' } }).map(
    ({ namespace: space, name }) => `${space}/${name}`,
  )

test('guarded namespaces, and those with guarded pods, get trust, a NetworkPolicy that closes and one per port', () => {
  const spaces = [namespace('a', 'enabled'), namespace('b'), namespace('c')]
  const pods = [pod('a', '9000'), pod('a', '9000'), pod('b', '8000')]
  expect(names(spaces, pods)).toEqual([
    'a/postern-trust',
    'a/postern-guard-closed',
    'a/postern-guard-8080',
    'a/postern-guard-9000',
    'b/postern-trust',
    'b/postern-guard-closed',
    'b/postern-guard-8000',
  ])
})

test('namespaces of the system, left alone or going away get nothing, that of the release trust only', () => {
  const going = namespace('g', 'enabled', { deletionTimestamp: '2026-11-21T00:00:00Z' })
  const spaces = [
    namespace('kube-system', 'enabled'),
    namespace('x', 'disabled'),
    going,
    namespace('postern', 'disabled'),
  ]
  expect(names(spaces, [pod('x', '8000'), pod('kube-system', '22')])).toEqual(['postern/postern-trust'])
})

test('labels that are no port make no NetworkPolicy, and many ports are bounded', () => {
  const odd = ['', '0', '65536', '-1', '8e3', '08080', 'http'].map((port) => pod('a', port))
  expect(names([namespace('a')], odd)).toEqual(['a/postern-trust', 'a/postern-guard-closed'])
  const many = Array.from({ length: 100 }, (_, index) => pod('a', String(1000 + index)))
  expect(names([namespace('a')], many)).toHaveLength(2 + 32)
})

test('a pod whose port has no NetworkPolicy yet is closed: that needs no controller', () => {
  const [, policy] = wantedObjects({
    ...{ config, owner, namespaces: [namespace('a', 'enabled')], pods: [], trust: {} },
  })
  expect(policy?.content).toEqual({
    spec: {
      podSelector: { matchExpressions: [{ key: 'postern.dev/guard-port', operator: 'Exists' }] },
      policyTypes: ['Ingress'],
    },
  })
})

test('without NetworkPolicies there is trust only', () => {
  const its = { ...config, networkPolicies: { ...config.networkPolicies, enabled: false } }
  expect(names([namespace('a', 'enabled')], [], its)).toEqual(['a/postern-trust'])
})

test('only the namespaces of clients reach the guard, and nobody the admin port when none monitors', () => {
  const [, , policy] = wantedObjects({
    config,
    owner,
    namespaces: [namespace('a', 'enabled')],
    pods: [],
    trust: {},
  })
  expect(policy?.content).toMatchObject({
    spec: {
      ingress: [
        {
          ports: [{ port: 8080 }],
          from: [{ namespaceSelector: { matchExpressions: [{ values: ['apps', 'web'] }] } }],
        },
      ],
    },
  })
})

const told = (port: string, overlay: object | string) =>
  guardedPod({
    metadata: { name: 'p', namespace: 'a', labels: { 'postern.dev/guard-port': port } },
    spec: {
      initContainers: [
        {
          name: 'postern',
          env: [
            { name: 'POSTERN_POD', value: typeof overlay === 'string' ? overlay : JSON.stringify(overlay) },
          ],
        },
      ],
    },
  })

test('a guard with another admin port is scraped there, but no port is opened at which the model of another pod listens', () => {
  const its = {
    ...config,
    networkPolicies: { ...config.networkPolicies, monitoringNamespaces: ['monitoring'] },
  }
  const opened = (...pods: readonly ReturnType<typeof pod>[]) => {
    const [, , policy] = wantedObjects({
      config: its,
      owner,
      namespaces: [namespace('a', 'enabled')],
      pods,
      trust: {},
    })
    const { ingress } = (policy?.content as { spec: { ingress: { ports: { port: number }[] }[] } }).spec
    return ingress[1]?.ports.map(({ port }) => port)
  }
  const usual = told('8080', { adminPort: 8081, modelUrl: 'http://127.0.0.1:8000' })
  const other = told('8080', { adminPort: 9100, modelUrl: 'http://127.0.0.1:8000' })
  const modelThere = told('8080', { adminPort: 8081, modelUrl: 'http://127.0.0.1:9100' })
  expect(opened(usual)).toEqual([8081])
  expect(opened(usual, other, other)).toEqual([8081, 9100])
  expect(opened(other, modelThere)).toEqual([8081])
  expect(opened(told('9000', { adminPort: 9100, modelUrl: 'http://127.0.0.1:8000' }))).toEqual([8081])
  for (const bad of [
    '{',
    '[]',
    '{"adminPort":9100}',
    '{"adminPort":9100,"adminPort":8000,"modelUrl":"http://a"}',
  ])
    expect(opened(told('8080', bad))).toEqual([8081])
})

const seenPod = (more: Partial<SeenPod>, metadata: object = {}): SeenPod => ({
  metadata: { name: 'p', namespace: 'a', uid: 'u', ...metadata },
  ...more,
})

test('a pod counts as guarded by its sidecar, not by a label; ended pods do not count', () => {
  const space = namespace('a', 'enabled')
  const guarded = seenPod({ spec: { initContainers: [{ name: 'postern', restartPolicy: 'Always' }] } })
  const labelled = seenPod({}, { labels: { 'postern.dev/injected': 'true', 'postern.dev/exempt': 'true' } })
  const once = seenPod({ spec: { initContainers: [{ name: 'postern' }] } })
  const ended = seenPod({ status: { phase: 'Succeeded' } })
  expect(unguarded(space, [guarded, labelled, once, ended])).toEqual([labelled, once])
  expect(unguarded({ ...space, exempting: true }, [labelled])).toEqual([])
})

test.each([
  [{ kind: 'ReplicaSet', name: 'model-5f' }, 'kubectl -n a rollout restart deployment/model'],
  [{ kind: 'StatefulSet', name: 'model' }, 'kubectl -n a rollout restart statefulset/model'],
  [{ kind: 'Job', name: 'j' }, 'kubectl -n a delete pod p; its Job j makes a new one'],
])('a pod of %j is replaced by %s', (its, command) => {
  const { message } = guardMissing(
    seenPod(
      {},
      { labels: { 'pod-template-hash': '5f' }, ownerReferences: [{ apiVersion: '', uid: '', ...its }] },
    ),
  )
  expect(message).toContain(command)
})

test('a Service is told only when it sends to the port that the guard closed', () => {
  const service = (
    targetPort: number | string | undefined,
    selector: Record<string, string> = { app: 'm' },
  ) =>
    seenService({
      metadata: { name: 's', namespace: 'a', uid: 'u' },
      spec: { selector, ports: [{ port: 8000, ...(targetPort === undefined ? {} : { targetPort }) }] },
    })
  const told = (its: ReturnType<typeof service>, status: object): number =>
    closedTargets([its], [pod('a', '8080', status)]).length
  const closing = { mode: 'service', model: { port: 8000 } }
  expect(told(service(8000), closing)).toBe(1)
  expect(told(service(undefined), closing)).toBe(1)
  expect(told(service(8080), closing)).toBe(0)
  expect(told(service('http'), closing)).toBe(0)
  expect(told(service(8000, { app: 'other' }), closing)).toBe(0)
  expect(told(service(8000, {}), closing)).toBe(0)
  expect(told(service(8000), { mode: 'takeover', model: { port: 8000 } })).toBe(0)
  expect(told(service(8000), { mode: 'service', model: null })).toBe(0)
})
