import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { injectPod } from '../../proxy/src/controller/inject/inject-pod.ts'
import { eventually } from '../cluster/processes.ts'
import { modelPod, release, RELEASE, type Pod, type Release } from './chart-release.ts'

let cluster: Release

beforeAll(async () => {
  cluster = await release()
  await cluster.install({ injection: { by: 'policy' } })
  await eventually(async () => guardOf(await cluster.admitted(modelPod(cluster.models))), 20)
})

afterAll(() => cluster.end())

const guardOf = (pod: Pod) => pod.spec!.initContainers!.find(({ name }) => name === 'postern')!

test('the API server finds nothing wrong with any expression of the policies', async () => {
  const found = await eventually(async () => {
    const list = parse(await cluster.kubectl(['get', 'validatingadmissionpolicies', '-o', 'yaml'])) as {
      items: { metadata: { name: string }; status?: { typeChecking?: { expressionWarnings?: unknown } } }[]
    }
    const own = list.items.filter(({ metadata }) => metadata.name.startsWith(`${RELEASE}-`))
    if (own.some(({ status }) => status?.typeChecking === undefined)) throw new Error('not checked yet')
    return own
  }, 30)
  expect(found.map(({ metadata }) => metadata.name)).toEqual(
    ['debug', 'guarded', 'ingress', 'inside', 'trust', 'writes'].map((name) => `${RELEASE}-${name}`),
  )
  for (const { status } of found) expect(status?.typeChecking?.expressionWarnings ?? []).toEqual([])
})

describe('the guard by MutatingAdmissionPolicy', () => {
  test('stands beside the model, has its port name, and passes Pod Security restricted and the guarded policy', async () => {
    const pod = await eventually(() => cluster.admitted(modelPod(cluster.models)), 20)
    expect(guardOf(pod)).toMatchObject({
      restartPolicy: 'Always',
      args: ['serve', 'env:POSTERN_CONFIG', '--pod', 'env:POSTERN_POD'],
      ports: [
        { name: 'http', containerPort: 8080 },
        { name: 'postern-admin', containerPort: 8081 },
      ],
    })
    expect(pod.spec!.containers[0]).toMatchObject({
      ports: [{ name: 'postern-model', containerPort: 8000 }],
      readinessProbe: { httpGet: { port: 'postern-model' } },
      lifecycle: { preStop: { sleep: { seconds: 30 } } },
    })
    expect(pod.metadata!.labels).toMatchObject({
      'postern.dev/injected': 'true',
      'postern.dev/guard-port': '8080',
    })
    expect(pod.spec!.terminationGracePeriodSeconds).toBe(40)
  })

  test('follows the annotations for container, port, models, drain, resources and Secret', async () => {
    const pod = await cluster.admitted(
      modelPod(cluster.models, (pod) => {
        pod.spec!.containers.unshift({
          ...pod.spec!.containers[0]!,
          name: 'side',
          ports: [],
          readinessProbe: { exec: { command: ['x'] } },
        })
        pod.spec!.containers[1]!.lifecycle = { preStop: { exec: { command: ['own'] } } }
        pod.spec!.initContainers = [
          { ...pod.spec!.containers[0]!, name: 'download', readinessProbe: undefined } as never,
        ]
        pod.metadata!.annotations = Object.fromEntries(
          Object.entries({
            container: 'server',
            port: '9000',
            models: 'a/b, c',
            'drain-seconds': '70',
            cpu: '2',
            memory: '1Gi',
            secret: 'keys',
            'admin-port': '9099',
          }).map(([name, value]) => [`postern.dev/${name}`, value]),
        )
      }),
    )
    const guard = guardOf(pod)
    expect(pod.spec!.initContainers!.map(({ name }) => name)).toEqual(['postern', 'download'])
    expect(JSON.parse(guard.env!.find(({ name }) => name === 'POSTERN_POD')!.value!)).toEqual({
      listen: { address: 'any', port: 8080 },
      adminPort: 9099,
      modelUrl: 'http://127.0.0.1:9000',
      models: ['a/b', 'c'],
      probes: [],
      drainSeconds: 70,
    })
    expect(guard.resources).toEqual({ requests: { cpu: '2', memory: '1Gi' }, limits: { memory: '1Gi' } })
    expect(guard.volumeMounts!.map(({ name }) => name)).toContain('postern-secret')
    expect(pod.spec!.containers[1]!.lifecycle).toEqual({ preStop: { exec: { command: ['own'] } } })
    expect(pod.spec!.terminationGracePeriodSeconds).toBe(80)
  })

  test.each([
    ['a model without a port', (pod: Pod) => delete pod.spec!.containers[0]!.ports],
    ['an unknown profile', (pod: Pod) => (pod.metadata!.annotations = { 'postern.dev/profile': 'none' })],
    ['an unknown container', (pod: Pod) => (pod.metadata!.annotations = { 'postern.dev/container': 'none' })],
    [
      'a model name that would end the JSON',
      (pod: Pod) => (pod.metadata!.annotations = { 'postern.dev/models': 'a"],"x":["' }),
    ],
  ])('refuses %s', async (_, change) => {
    await expect(cluster.admitted(modelPod(cluster.models, change))).rejects.toThrow(
      /charttest-pods|denied|no such key|index out of bounds/,
    )
  })

  test('Services that name the port by number lead to the guard', async () => {
    const service = `{apiVersion: v1, kind: Service, metadata: {name: s, namespace: ${cluster.models}, labels: {postern.dev/inject: "true"}},
      spec: {selector: {app: model}, ports: [{name: a, port: 80, targetPort: 8000}, {name: b, port: 81, targetPort: http}]}}`
    const made = await cluster.kubectl(
      ['create', '--dry-run=server', '-o', 'jsonpath={.spec.ports[*].targetPort}', '-f', '-'],
      service,
    )
    expect(made).toBe('8080 http')
  })
})

describe('a guarded namespace, without any webhook or mutating policy', () => {
  let injected: Pod

  beforeAll(async () => {
    injected = await eventually(() => cluster.admitted(modelPod(cluster.models)), 20)
    // What is refused below is refused by the validating policy alone.
    delete injected.metadata!.labels!['postern.dev/inject']
    await cluster.install({ injection: { by: 'webhook' } })
  })

  const create = (pod: Pod): Promise<string> =>
    cluster.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod))

  test('admits a pod with an untouched guard', async () => {
    expect(await eventually(() => create(injected), 20)).toMatch(/pod\/model created/)
  })

  test('compares with the text that the controller reads, to the byte', async () => {
    const file = ['get', 'configmap', `${RELEASE}-guard`, '-o', 'jsonpath={.data.default\\.yaml}']
    expect(env(injected, 'POSTERN_CONFIG').value).toBe(await cluster.kubectl(['-n', cluster.home, ...file]))
  })

  test.each([
    ['takeover', { image: 'vllm/vllm-openai:v0.11.0', args: ['--model', 'small'] }],
    ['service', { image: 'example.invalid/unknown:1' }],
  ])('admits what the webhook makes in mode %s', async (mode, container) => {
    const file = [
      '-n',
      cluster.home,
      'get',
      'configmap',
      `${RELEASE}-guard`,
      '-o',
      'jsonpath={.data.default\\.yaml}',
    ]
    const settings = {
      ...{
        version: '0.1.0',
        image: 'ghcr.io/postern/postern:0.1.0',
        imagePullPolicy: 'IfNotPresent' as const,
      },
      ...{
        resources: { cpu: '100m', memory: '256Mi', memoryLimit: '512Mi' },
        drainSeconds: 30,
        adminPort: 8081,
        guardPort: 8080,
        after: [],
      },
      ...{ identity: 'controller' as const, audience: 'postern-controller' },
      profiles: new Map([['default', await cluster.kubectl(file)]]),
    }
    const pod = modelPod(cluster.models, (pod) => Object.assign(pod.spec!.containers[0]!, container))
    const made = injectPod(pod, settings, { namespace: cluster.models })
    if (made.kind === 'refused') throw new Error(made.message)
    expect(made.status.mode).toBe(mode)
    const result = structuredClone<Pod>(made.pod)
    delete result.metadata!.labels!['postern.dev/inject']
    expect(await create(result)).toMatch(/pod\/model created/)
  })

  const env = (pod: Pod, name: string) => guardOf(pod).env!.find((one) => one.name === name)!
  const refused: readonly (readonly [string, (pod: Pod) => unknown, RegExp])[] = [
    ['no guard', (pod) => (pod.spec!.initContainers = []), /no guard/],
    [
      'a guard that ends',
      (pod) => delete guardOf(pod).restartPolicy,
      /no guard|lifecycle|Forbidden|forbidden/,
    ],
    ['no label injected', (pod) => delete pod.metadata!.labels!['postern.dev/injected'], /no guard/],
    [
      'another image',
      (pod) => (guardOf(pod).image = 'example.invalid/not-a-guard:1'),
      /image is not the installed one/,
    ],
    ['other arguments', (pod) => guardOf(pod).args!.push('--verbose'), /something else than the guard/],
    ['a command', (pod) => (guardOf(pod).command = ['sleep']), /something else than the guard/],
    [
      'another working directory',
      (pod) => (guardOf(pod).workingDir = '/tmp'),
      /something else than the guard/,
    ],
    [
      'NODE_OPTIONS',
      (pod) => guardOf(pod).env!.push({ name: 'NODE_OPTIONS', value: '--require=/tmp/x' }),
      /something else than the guard/,
    ],
    [
      'envFrom',
      (pod) => (guardOf(pod).envFrom = [{ configMapRef: { name: 'x' } }]),
      /something else than the guard/,
    ],
    [
      'a command after its start',
      (pod) => (guardOf(pod).lifecycle!.postStart = { exec: { command: ['x'] } }),
      /something else than the guard/,
    ],
    [
      'a command as probe',
      (pod) => (guardOf(pod).livenessProbe = { exec: { command: ['x'] } }),
      /something else than the guard/,
    ],
    ['another configuration', (pod) => (env(pod, 'POSTERN_CONFIG').value = '{}'), /no profile of ConfigMap/],
    [
      'two configurations',
      (pod) => guardOf(pod).env!.push({ name: 'POSTERN_CONFIG', value: '{}' }),
      /no profile of ConfigMap/,
    ],
    [
      'configuration from a ConfigMap',
      (pod) =>
        Object.assign(env(pod, 'POSTERN_CONFIG'), {
          value: undefined,
          valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } },
        }),
      /no profile of ConfigMap/,
    ],
    [
      'a port label that opens the model',
      (pod) => (pod.metadata!.labels!['postern.dev/guard-port'] = '8000'),
      /guard-port is not the port/,
    ],
    [
      'no port label',
      (pod) => delete pod.metadata!.labels!['postern.dev/guard-port'],
      /guard-port is not the port/,
    ],
    [
      'a second port in what it is told',
      (pod) =>
        (env(pod, 'POSTERN_POD').value = env(pod, 'POSTERN_POD').value!.replace(
          '{',
          '{"listen":{"address":"any","port":8081},',
        )),
      /guard-port is not the port/,
    ],
    [
      'a second port, in escapes',
      (pod) =>
        (env(pod, 'POSTERN_POD').value = env(pod, 'POSTERN_POD').value!.replace(
          /}$/,
          ',"\\u006cisten":{"address":"any","port":8081}}',
        )),
      /guard-port is not the port/,
    ],
    [
      'an address of its own',
      (pod) => guardOf(pod).env!.push({ name: 'POD_IP', value: '127.0.0.2' }),
      /something else than the guard/,
    ],
    ['no startup probe', (pod) => delete guardOf(pod).startupProbe, /the guard starts first/],
    [
      'a startup probe of somewhere else',
      (pod) => (guardOf(pod).startupProbe!.httpGet!.host = '198.51.100.9'),
      /the guard starts first|host/,
    ],
    [
      'a container that starts before it',
      (pod) =>
        pod.spec!.initContainers!.unshift({
          ...pod.spec!.containers[0]!,
          name: 'early',
          ports: [],
          readinessProbe: undefined,
          lifecycle: undefined,
        } as never),
      /the guard starts first/,
    ],
    [
      'trust from elsewhere',
      (pod) => (pod.spec!.volumes!.find(({ name }) => name === 'postern-trust')!.configMap!.name = 'mine'),
      /is not what the injector/,
    ],
    [
      'its own policies from elsewhere',
      (pod) =>
        Object.assign(
          pod.spec!.volumes!.find(({ name }) => name === 'postern-run')!,
          { emptyDir: undefined, configMap: { name: 'mine' } },
        ),
      /is not what the injector/,
    ],
    [
      'a CA of the API server from elsewhere',
      (pod) =>
        (pod.spec!.volumes!.find(({ name }) => name.startsWith('kube-api-access-'))!.projected!.sources![1] =
          { configMap: { name: 'mine' } }),
      /is not what the injector/,
    ],
    [
      'a volume over its program',
      (pod) =>
        (guardOf(pod).volumeMounts!.find(({ name }) => name === 'postern-audit')!.mountPath =
          '/postern/proxy/dist'),
      /belong to the guard alone/,
    ],
    [
      'a volume of another name',
      (pod) => {
        pod.spec!.volumes!.push({ name: 'mine', emptyDir: {} })
        guardOf(pod).volumeMounts!.push({ name: 'mine', mountPath: '/etc/postern/trust/x' })
      },
      /belong to the guard alone/,
    ],
    [
      'a model that writes into the guard',
      (pod) => (pod.spec!.containers[0]!.volumeMounts = [{ name: 'postern-run', mountPath: '/x' }]),
      /belong to the guard alone/,
    ],
    [
      'exempt, where nobody allowed it',
      (pod) => {
        pod.spec!.initContainers = []
        pod.metadata!.labels!['postern.dev/exempt'] = 'true'
      },
      /no guard/,
    ],
  ]

  test.each(refused)('refuses %s', async (_, change, message) => {
    const pod = structuredClone(injected)
    change(pod)
    await expect(create(pod)).rejects.toThrow(message)
  })

  test('refuses hostPort and hostNetwork, where Pod Security would let them pass', async () => {
    const level = (name: string) =>
      cluster.kubectl([
        'label',
        '--overwrite',
        'namespace',
        cluster.models,
        `pod-security.kubernetes.io/enforce=${name}`,
      ])
    await level('privileged')
    try {
      const hostPort = structuredClone(injected)
      hostPort.spec!.containers[0]!.ports![0]!.hostPort = 8000
      await expect(create(hostPort)).rejects.toThrow(/hostNetwork and hostPort/)
      const hostNetwork = structuredClone(injected)
      hostNetwork.spec!.hostNetwork = true
      await expect(create(hostNetwork)).rejects.toThrow(/hostNetwork and hostPort/)
    } finally {
      await level('restricted')
    }
  })

  test('a pod that serves no model is exempt where the owner of the namespace says so', async () => {
    await cluster.kubectl(['label', 'namespace', cluster.models, 'postern.dev/allow-exempt=true'])
    const pod = modelPod(cluster.models, (pod) => (pod.metadata!.labels = { 'postern.dev/exempt': 'true' }))
    expect(await eventually(() => create(pod), 20)).toMatch(/created/)
    await cluster.kubectl(['label', 'namespace', cluster.models, 'postern.dev/allow-exempt-'])
  })

  test('labels and image of a running pod stay', async () => {
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(injected))
    const change = (...args: readonly string[]) => cluster.kubectl(['-n', cluster.models, ...args])
    await expect(change('label', 'pod', 'model', 'postern.dev/injected-')).rejects.toThrow(/do not change/)
    await expect(
      change('label', '--overwrite', 'pod', 'model', 'postern.dev/guard-port=8000'),
    ).rejects.toThrow(/do not change/)
    await expect(change('label', 'pod', 'model', 'postern.dev/exempt=true')).rejects.toThrow(/do not change/)
    await expect(change('set', 'image', 'pod/model', 'postern=example.invalid/other:1')).rejects.toThrow(
      /may only become the installed one/,
    )
    await change('label', 'pod', 'model', 'team=a')
    await change('set', 'image', 'pod/model', 'server=example.invalid/server:2')
    await change('delete', 'pod', 'model', '--force')
  })

  test('a labelled pod is refused while no controller answers the webhook', async () => {
    await expect(create(modelPod(cluster.models))).rejects.toThrow(
      /failed calling webhook|pods\.postern\.dev/,
    )
  })
})
