import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { modelPod, release, type Pod, type Release } from './chart-release.ts'

/** What somebody tries who may write pods, their subresources and NetworkPolicies in a guarded namespace without Pod Security. */
let cluster: Release
let guarded: Pod

beforeAll(async () => {
  cluster = await release()
  const { kubectl, models } = cluster
  await kubectl([
    ...['label', '--overwrite', 'namespace', models],
    'pod-security.kubernetes.io/enforce=privileged',
  ])
  await cluster.install({
    injection: { by: 'policy' },
    admission: { debug: 'warn', hostPaths: ['/mnt/cache'] },
  })
  guarded = await eventually(async () => {
    const pod = await cluster.admitted(modelPod(models))
    if (!pod.spec!.initContainers) throw new Error('no guard yet')
    return pod
  }, 30)
  delete guarded.metadata!.labels!['postern.dev/inject']
  await eventually(
    () =>
      expect(create({ ...guarded, spec: { ...guarded.spec!, hostPID: true } })).rejects.toThrow(/hostPID/),
    30,
  )
})

afterAll(() => cluster.end())

const create = (pod: Pod): Promise<string> =>
  cluster.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod))

const raw = (verb: 'create' | 'replace' | 'delete', path: string, body?: object): Promise<string> =>
  cluster.kubectl(
    [verb, '--raw', `/api/v1/namespaces/${cluster.models}/${path}`, ...(body ? ['-f', '-'] : [])],
    body && JSON.stringify(body),
  )

const guardOf = (pod: Pod) => pod.spec!.initContainers!.find(({ name }) => name === 'postern')!
const modelOf = (pod: Pod) => pod.spec!.containers[0]!
const told = (pod: Pod) => guardOf(pod).env!.find(({ name }) => name === 'POSTERN_POD')!

/** A path of the node, which the model mounts. */
const nodePath = (pod: Pod, path: string, readOnly = true): void => {
  pod.spec!.volumes!.push({ name: 'node', hostPath: { path } })
  modelOf(pod).volumeMounts = [{ name: 'node', mountPath: '/node', readOnly }]
}

const pods: readonly (readonly [string, (pod: Pod) => unknown, RegExp])[] = [
  [
    'a block device over the program of the guard',
    (pod) => {
      pod.spec!.volumes!.push({ name: 'mine', persistentVolumeClaim: { claimName: 'mine' } })
      guardOf(pod).volumeDevices = [{ name: 'mine', devicePath: '/postern/proxy/dist/cli.js' }]
    },
    /something else than the guard/,
  ],
  [
    'an empty file over a file of the guard',
    (pod) => (guardOf(pod).terminationMessagePath = '/postern/proxy/dist/cli.js'),
    /something else than the guard/,
  ],
  [
    'a port of the node, declared by the guard, that leads to the model',
    (pod) => guardOf(pod).ports!.push({ containerPort: 8000, hostPort: 30_000, protocol: 'TCP' }),
    /hostNetwork and hostPort/,
  ],
  [
    'a model at the port that is open for metrics',
    (pod) => (told(pod).value = told(pod).value!.replace(':8000"', ':8081"')),
    /port 8081 for metrics/,
  ],
  ['shareProcessNamespace', (pod) => (pod.spec!.shareProcessNamespace = true), /processes of the guard/],
  ['hostPID', (pod) => (pod.spec!.hostPID = true), /processes of the guard/],
  [
    'a privileged model',
    (pod) => (modelOf(pod).securityContext = { privileged: true }),
    /lead traffic around the guard/,
  ],
  ...['NET_ADMIN', 'CAP_NET_ADMIN', 'net_admin', 'ALL'].map(
    (name) =>
      [
        `a model with ${name}`,
        (pod: Pod) => (modelOf(pod).securityContext!.capabilities = { add: [name] }),
        /lead traffic around the guard/,
      ] as const,
  ),
  ...['/', '//', '/./var', '//var/lib', '/var/lib/kubelet/pods', '/run/containerd', '/proc', '/dev/shm'].map(
    (path) =>
      [`the path ${path} of its node`, (pod: Pod) => nodePath(pod, path), /paths of the node/] as const,
  ),
  ...['/mnt/models', '/mnt/cache-2', '/mnt/cache/./../models'].map(
    (path) =>
      [
        `a path of its node that it writes, ${path}`,
        (pod: Pod) => nodePath(pod, path, false),
        /paths of the node|must not contain '..'/,
      ] as const,
  ),
  [
    'a path of its node that an init container writes',
    (pod) => {
      nodePath(pod, '/mnt/models')
      const volumeMounts = [{ name: 'node', mountPath: '/node' }]
      pod.spec!.initContainers!.push({ name: 'put', image: 'example.invalid/put:1', volumeMounts })
    },
    /paths of the node/,
  ],
  [
    'a Redis of its own for the guard, by /etc/hosts',
    (pod) => (pod.spec!.hostAliases = [{ ip: '192.0.2.1', hostnames: ['redis.postern.svc'] }]),
    /hostAliases, dnsConfig/,
  ],
  [
    'a name server of its own',
    (pod) => {
      pod.spec!.dnsPolicy = 'None'
      pod.spec!.dnsConfig = { nameservers: ['192.0.2.1'] }
    },
    /hostAliases, dnsConfig/,
  ],
  [
    'a search list of its own',
    (pod) => (pod.spec!.dnsConfig = { searches: ['example.invalid'] }),
    /hostAliases, dnsConfig/,
  ],
]

test.each(pods)('a pod is refused with %s', async (_, change, message) => {
  const pod = structuredClone(guarded)
  change(pod)
  await expect(create(pod)).rejects.toThrow(message)
})

test('a pod is admitted with a port of the node at the guard, and DNS options', async () => {
  const pod = structuredClone(guarded)
  guardOf(pod).ports![0]!.hostPort = 30_000
  pod.spec!.dnsConfig = { options: [{ name: 'ndots', value: '2' }] }
  expect(await create(pod)).toMatch(/created/)
})

test.each([
  ['reads', '/mnt/models', true],
  ['may write, as the platform team says', '/mnt/cache/llama', false],
])('a pod is admitted with a path of the node that it %s', async (_, path, readOnly) => {
  const pod = structuredClone(guarded)
  nodePath(pod, path, readOnly)
  expect(await create(pod)).toMatch(/created/)
})

describe('beside a running guard', () => {
  beforeAll(() => {
    const pod = structuredClone(guarded)
    nodePath(pod, '/mnt/models')
    return cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod))
  })
  afterAll(() => cluster.kubectl(['-n', cluster.models, 'delete', 'pod', 'model', '--force']))

  const patchStatus = (labels: object): Promise<string> =>
    cluster.kubectl([
      ...['-n', cluster.models, 'patch', 'pod', 'model', '--subresource=status', '--type=merge', '-p'],
      JSON.stringify({ metadata: { labels } }),
    ])

  test('labels that protect it do not change by its status, others do', async () => {
    for (const labels of [
      { 'postern.dev/guard-port': '8000' },
      { 'postern.dev/guard-port': null },
      { 'postern.dev/exempt': 'true' },
    ])
      await expect(patchStatus(labels)).rejects.toThrow(/do not change/)
    await patchStatus({ team: 'a' })
  })

  test('nor by a Binding', async () => {
    const binding = {
      ...{ apiVersion: 'v1', kind: 'Binding', target: { kind: 'Node', name: 'node' } },
      metadata: { name: 'model', labels: { 'postern.dev/guard-port': '8000' } },
    }
    await expect(raw('create', 'pods/model/binding', binding)).rejects.toThrow(/do not change/)
    await expect(raw('create', 'bindings', binding)).rejects.toThrow(/do not change/)
  })

  const debugged = async (container: object): Promise<string> => {
    const pod = JSON.parse(
      await cluster.kubectl(['-n', cluster.models, 'get', 'pod', 'model', '-o', 'json']),
    ) as Pod
    const made = { name: 'look', image: 'example.invalid/look:1', ...container }
    Object.assign(pod.spec!, { ephemeralContainers: [made] })
    return raw('replace', 'pods/model/ephemeralcontainers', pod)
  }

  test('a debug container has neither its volumes nor its processes, and writes no path of the node', async () => {
    await expect(debugged({ volumeMounts: [{ name: 'postern-run', mountPath: '/x' }] })).rejects.toThrow(
      /no part in the guard/,
    )
    await expect(debugged({ volumeMounts: [{ name: 'node', mountPath: '/x' }] })).rejects.toThrow(
      /does not write paths of the node/,
    )
    await expect(debugged({ targetContainerName: 'postern' })).rejects.toThrow(/no part in the guard/)
    await debugged({ targetContainerName: 'server' })
  })

  test('nobody runs a command in it', async () => {
    const exec = (container: string): Promise<string> =>
      cluster.kubectl(['-n', cluster.models, 'exec', 'model', '-c', container, '--', 'true'])
    await expect(exec('postern')).rejects.toThrow(/nobody enters the guard/)
    await expect(exec('server')).rejects.toThrow(/does not have a host assigned/)
  })
})

test('who deletes all ConfigMaps of a namespace at once does not get what guards trust', async () => {
  const trust = `{apiVersion: v1, kind: ConfigMap, metadata: {name: postern-trust, namespace: ${cluster.models}}, data: {ca.crt: x}}`
  await cluster
    .kubectl(['create', '--validate=ignore', '-f', '-', cluster.asController], trust)
    .catch(() =>
      cluster.kubectl(
        [
          'apply',
          '--server-side',
          '--field-manager=postern-controller',
          '--validate=ignore',
          '-f',
          '-',
          cluster.asController,
        ],
        trust,
      ),
    )
  await expect(raw('delete', 'configmaps')).rejects.toThrow(/only the Postern controller writes/)
})

describe('a NetworkPolicy of somebody else', () => {
  const policy = (spec: object): Promise<string> =>
    cluster.kubectl(
      ['create', '--dry-run=server', '-f', '-'],
      JSON.stringify({
        ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
        metadata: { name: 'mine', namespace: cluster.models },
        spec,
      }),
    )
  const guard = { matchLabels: { 'postern.dev/guard-port': '8080' } }
  const port = (number: unknown, more: object = {}) => ({ ports: [{ port: number, ...more }] })

  test.each([
    ['all pods from anywhere', { podSelector: {}, ingress: [{}] }],
    ['the port of the model', { podSelector: { matchLabels: { app: 'model' } }, ingress: [port(8000)] }],
    ['all ports of a guard', { podSelector: guard, ingress: [{}] }],
    ['a port beside the guard', { podSelector: guard, ingress: [port(8080), port(8000)] }],
    ['a range of ports', { podSelector: guard, ingress: [port(8080, { endPort: 9000 })] }],
    ['a named port', { podSelector: guard, ingress: [port('postern-model')] }],
    ['another protocol', { podSelector: guard, ingress: [port(8080, { protocol: 'UDP' })] }],
  ])('does not open %s', async (_, spec) => {
    await expect(policy(spec)).rejects.toThrow(/NetworkPolicies add up/)
  })

  test.each([
    ['close everything', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }],
    ['limit what goes out', { podSelector: {}, policyTypes: ['Egress'], egress: [{}] }],
    ['open a guard', { podSelector: guard, ingress: [{ ...port(8080), from: [{ podSelector: {} }] }] }],
    [
      'open pods without a guard',
      {
        podSelector: { matchExpressions: [{ key: 'postern.dev/guard-port', operator: 'DoesNotExist' }] },
        ingress: [{}],
      },
    ],
  ])('may %s', async (_, spec) => {
    expect(await policy(spec)).toMatch(/created/)
  })
})
