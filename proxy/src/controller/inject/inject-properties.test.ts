import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { injectPod } from './inject-pod.ts'
import { jsonPatch } from './json-patch.ts'
import type { Container, Pod } from './objects.ts'
import { guardOf, overlayOf } from './test/pods.ts'
import { settings } from './test/settings.ts'

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/)
const port = fc.integer({ min: 1, max: 65_535 })
const word = fc.constantFrom(
  '--host',
  '0.0.0.0',
  '--host=::',
  '--port',
  '9000',
  '-c',
  '--hostname',
  '$(X)',
  'm',
  '--hos',
  '=',
  '',
)
const probe = fc.oneof(
  fc.record({
    httpGet: fc.record({ path: fc.constantFrom('/', '/health'), port: fc.oneof(port, fc.constant('http')) }),
  }),
  fc.record({ tcpSocket: fc.record({ port }) }),
  fc.record({ grpc: fc.record({ port }), timeoutSeconds: port }),
  fc.record({ exec: fc.record({ command: fc.array(name) }), periodSeconds: port }),
)
const commands: readonly string[][] = [
  ['vllm', 'serve'],
  ['sh', '-c', 'ollama serve'],
  ['tritonserver'],
  ['/start'],
  ['xinference-local'],
]
const container = (names: fc.Arbitrary<string>): fc.Arbitrary<Container> =>
  fc.record(
    {
      name: names,
      image: fc.constantFrom(
        'vllm/vllm-openai:v1',
        'ollama/ollama',
        'x/tgi',
        'localai/localai',
        'own',
        'a:5000/llama.cpp:s',
      ),
      command: fc.oneof(fc.constantFrom(...commands), fc.array(word, { maxLength: 3 })),
      args: fc.array(word, { maxLength: 4 }),
      env: fc.array(
        fc.record({ name: fc.constantFrom('OLLAMA_HOST', 'HOSTNAME', 'X'), value: fc.string() }),
        { maxLength: 3 },
      ),
      ports: fc.array(
        fc.record(
          { containerPort: port, name: fc.constantFrom('http', 'api', 'grpc') },
          { requiredKeys: ['containerPort'] },
        ),
        { minLength: 1, maxLength: 3 },
      ),
      startupProbe: probe,
      livenessProbe: probe,
      readinessProbe: probe,
      lifecycle: fc.constantFrom(
        {},
        { postStart: { exec: { command: ['x'] } } },
        { preStop: { sleep: { seconds: 5 } } },
      ),
      terminationMessagePolicy: fc.constant('FallbackToLogsOnError'),
    },
    { requiredKeys: ['name', 'image', 'ports'] },
  )
const pod: fc.Arbitrary<Pod> = fc
  .record({
    containers: fc.uniqueArray(container(name), { minLength: 1, maxLength: 3, selector: (c) => c.name }),
    inits: fc.uniqueArray(container(fc.constantFrom('verify-model', 'download', 'mesh')), {
      maxLength: 3,
      selector: (c) => c.name,
    }),
    volumes: fc.uniqueArray(name, { maxLength: 3 }),
    mode: fc.constantFrom('auto', 'service', 'takeover'),
    other: fc.dictionary(name, fc.string()),
    seconds: fc.option(fc.integer({ min: 0, max: 600 }), { nil: undefined }),
  })
  .map(({ containers, inits, volumes, mode, other, seconds }) => ({
    metadata: {
      name: 'm',
      labels: { ...other, 'postern.dev/inject': 'true' },
      annotations: { ...other, 'postern.dev/mode': mode },
    },
    spec: {
      containers,
      ...(inits.length > 0 && { initContainers: inits }),
      ...(volumes.length > 0 && { volumes: volumes.map((v) => ({ name: v, emptyDir: {} })) }),
      ...(seconds !== undefined && { terminationGracePeriodSeconds: seconds }),
      futureField: { kept: true },
    } as Pod['spec'] & object,
  }))

const injected = (given: Pod): Pod | undefined => {
  const result = injectPod(given, settings, { namespace: 'models' })
  return result.kind === 'injected' ? result.pod : undefined
}

/** A pod that is refused says nothing about injected ones. */
const forInjected = (check: (before: Pod, after: Pod) => void): void =>
  fc.assert(
    fc.property(pod, (before) => {
      const copy = structuredClone(before)
      const after = injected(before)
      expect(before).toEqual(copy)
      if (after) check(before, after)
    }),
    { numRuns: 300 },
  )

test('an injected pod comes out equal, whatever it was', () =>
  forInjected((_, after) => expect(injected(after)).toEqual(after)))

test('an injected pod comes out without a patch when the API server has filled in its defaults', () =>
  forInjected((_, after) => {
    const stored = withDefaults(after)
    expect(jsonPatch(stored, injected(stored))).toEqual([])
  }))

test('nothing that the owner wrote is lost but what makes the guard necessary', () =>
  forInjected((before, after) => {
    expect(after.spec).toMatchObject({ futureField: { kept: true } })
    expect(after.metadata).toMatchObject(before.metadata!)
    expect(after.spec!.initContainers!.filter((c) => c.name !== 'postern')).toEqual(
      before.spec!.initContainers ?? [],
    )
    expect(after.spec!.volumes!.slice(0, before.spec!.volumes?.length ?? 0)).toEqual(
      before.spec!.volumes ?? [],
    )
    after.spec!.containers.forEach((now, i) => {
      const was = before.spec!.containers[i]!
      expect(Object.keys(now)).toEqual(expect.arrayContaining(Object.keys(was)))
      expect(now.image).toBe(was.image)
      expect(now.ports!.map((p) => p.containerPort)).toEqual(was.ports!.map((p) => p.containerPort))
      expect(now.terminationMessagePolicy).toBe(was.terminationMessagePolicy)
      if (i > 0)
        expect({ ...now, startupProbe: 0, livenessProbe: 0, readinessProbe: 0 }).toEqual({
          ...was,
          startupProbe: 0,
          livenessProbe: 0,
          readinessProbe: 0,
        })
    })
  }))

test('in takeover mode the model is told a loopback address, and nothing else', () =>
  forInjected((_, after) => {
    const { listen, modelUrl } = overlayOf(after)
    if (listen.address !== 'pod') return
    const [model] = after.spec!.containers
    const told = [...(model!.command ?? []), ...(model!.args ?? [])].join(' ')
    const values = (model!.env ?? [])
      .filter((e) => /^(OLLAMA_HOST|LLAMA_ARG_HOST|LOCALAI_ADDRESS)$/.test(e.name))
      .map((e) => e.value)
    expect(`${told} ${values.join(' ')}`).toContain('127.0.0.1')
    expect(modelUrl).toBe(`http://127.0.0.1:${listen.port}`)
    for (const probe of [model!.startupProbe, model!.livenessProbe, model!.readinessProbe]) {
      expect(probe?.tcpSocket ?? probe?.grpc).toBeUndefined()
    }
  }))

test('the guard is a restricted container, first among those that run on, on ports of its own', () =>
  forInjected((before, after) => {
    const guard = guardOf(after)
    expect(guard).toMatchObject({
      restartPolicy: 'Always',
      securityContext: {
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    })
    const { listen, adminPort } = overlayOf(after)
    const theirs = before.spec!.containers.flatMap((c) => c.ports!.map((p) => p.containerPort))
    expect(theirs).not.toContain(adminPort)
    expect(adminPort).not.toBe(listen.port)
    if (listen.address === 'any') expect(theirs).not.toContain(listen.port)
    expect(after.spec!.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(40)
    expect(after.spec!.initContainers!.filter((c) => c.name === 'postern')).toHaveLength(1)
  }))

/** What an API server 1.36 adds; the e2e test asks a real one. */
const withDefaults = (given: Pod): Pod => {
  const copy = structuredClone(given)
  for (const each of [...copy.spec!.containers, ...copy.spec!.initContainers!]) {
    each.terminationMessagePath ??= '/dev/termination-log'
    each.terminationMessagePolicy ??= 'File'
    each.imagePullPolicy ??= 'IfNotPresent'
    each.resources ??= {}
    for (const p of each.ports ?? []) p.protocol ??= 'TCP'
    for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      const one = each[kind]
      if (!one) continue
      one.timeoutSeconds ??= 1
      one.periodSeconds ??= 10
      one.successThreshold ??= 1
      one.failureThreshold ??= 3
      if (one.httpGet) one.httpGet.scheme ??= 'HTTP'
      if (one.grpc) one.grpc.service ??= ''
    }
    // LimitRanger and the ServiceAccount plug-in
    each.resources.limits = { 'ephemeral-storage': '1Gi', ...each.resources.limits }
    each.volumeMounts = [
      ...(each.volumeMounts ?? []),
      {
        name: 'kube-api-access-x',
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
        readOnly: true,
      },
    ]
  }
  copy.spec!.volumes!.push({ name: 'kube-api-access-x', projected: { sources: [] } })
  return copy
}
