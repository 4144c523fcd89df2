import { expect, test } from '@jest/globals'
import type { Container, Pod } from './objects.ts'
import { guardOf, inject, modelOf, overlayOf, podWith, refusal } from './test/pods.ts'

const commands: Record<string, readonly [Partial<Container>, Partial<Container>]> = {
  'vLLM by its image alone': [
    { image: 'mirror.example.com/vllm/vllm-openai:v0.11.0', args: ['--model', 'm'] },
    { args: ['--model', 'm', '--host', '127.0.0.1'] },
  ],
  'vLLM with a host already': [
    { command: ['vllm', 'serve', 'm'], args: ['--host=0.0.0.0', '--port', '9000'] },
    { command: ['vllm', 'serve', 'm'], args: ['--host=127.0.0.1', '--port', '9000'] },
  ],
  'vLLM as a module, an abbreviated flag, split over command and args': [
    {
      command: ['python3', '-m', 'vllm.entrypoints.openai.api_server', '--hos'],
      args: ['::', '--model', 'm'],
    },
    {
      command: ['python3', '-m', 'vllm.entrypoints.openai.api_server', '--hos'],
      args: ['127.0.0.1', '--model', 'm'],
    },
  ],
  'TGI, whose HOSTNAME Kubernetes sets': [
    { image: 'ghcr.io/huggingface/text-generation-inference:3', args: ['--model-id', 'm'] },
    { args: ['--model-id', 'm', '--hostname', '127.0.0.1'] },
  ],
  Ollama: [
    { image: 'ollama/ollama', env: [{ name: 'OLLAMA_HOST', value: '::' }] },
    { env: [{ name: 'OLLAMA_HOST', value: '127.0.0.1:9000' }] },
  ],
  'llama.cpp by its environment': [
    { image: 'ghcr.io/ggml-org/llama.cpp:server', args: ['-m', 'x'] },
    { args: ['-m', 'x'], env: [{ name: 'LLAMA_ARG_HOST', value: '127.0.0.1' }] },
  ],
  'llama.cpp with an argument, which beats it': [
    { command: ['/app/llama-server', '--host', '$(POD_IP)'] },
    { command: ['/app/llama-server', '--host', '127.0.0.1'] },
  ],
  SGLang: [
    { command: ['python3', '-m', 'sglang.launch_server'], args: ['--model-path', 'm', '--host', '0.0.0.0'] },
    { args: ['--model-path', 'm', '--host', '127.0.0.1'] },
  ],
  LocalAI: [
    { image: 'localai/localai:v3.7.0' },
    { env: [{ name: 'LOCALAI_ADDRESS', value: '127.0.0.1:9000' }] },
  ],
  Triton: [
    { command: ['tritonserver', '--model-repository=/m'] },
    { args: ['--http-address', '127.0.0.1', '--grpc-address', '127.0.0.1'] },
  ],
  LMDeploy: [{ command: ['lmdeploy', 'serve', 'api_server', 'm'] }, { args: ['--server-name', '127.0.0.1'] }],
  Infinity: [
    { image: 'michaelf34/infinity:0.0.77', args: ['v2'] },
    { args: ['v2'], env: [{ name: 'INFINITY_HOST', value: '127.0.0.1' }] },
  ],
  Xinference: [
    { command: ['xinference-local', '-H', '0.0.0.0'] },
    { command: ['xinference-local', '-H', '127.0.0.1'] },
  ],
  'Ollama in a shell, by its environment': [
    { command: ['sh', '-c', 'ollama serve'] },
    { env: [{ name: 'OLLAMA_HOST', value: '127.0.0.1:9000' }] },
  ],
}

test.each(Object.entries(commands))(
  '%s is made to listen on loopback, the guard takes its port',
  (_, [before, after]) => {
    const { pod, status } = inject(podWith(before))
    expect(modelOf(pod)).toMatchObject(after)
    expect(status).toMatchObject({ mode: 'takeover', port: 9000 })
    expect(overlayOf(pod)).toMatchObject({
      listen: { address: 'pod', port: 9000 },
      modelUrl: 'http://127.0.0.1:9000',
    })
  },
)

const fallbacks: Record<string, readonly [Partial<Container>, RegExp]> = {
  'an unknown server': [{}, /not known how/],
  'vLLM in a shell': [{ command: ['bash', '-lc', 'exec vllm serve m --host 0.0.0.0'] }, /shell script/],
  'a shell that sets the variable itself': [
    { command: ['sh', '-c', 'OLLAMA_HOST=0.0.0.0 ollama serve'] },
    /sets OLLAMA_HOST/,
  ],
  'a wrapper around a known image': [{ image: 'vllm/vllm-openai', command: ['/start.sh'] }, /not known how/],
  'Ray Serve': [{ command: ['serve', 'run', 'app:main'] }, /http_options/],
  'a privileged port': [{ command: ['vllm', 'serve'], ports: [{ containerPort: 80 }] }, /privileges/],
}

test.each(Object.entries(fallbacks))(
  '%s keeps its port, and the owner is told why',
  (_, [container, why]) => {
    const { pod, status } = inject(podWith(container))
    expect(status).toMatchObject({ mode: 'service', port: 8080 })
    expect(status.warnings.join('\n')).toMatch(why)
    expect(modelOf(pod).args).toEqual(container.args)
  },
)

test('what the owner asks for counts', () => {
  const { pod, status } = inject(
    podWith(
      { command: ['serve'], ports: [{ containerPort: 7000 }, { containerPort: 9000 }] },
      {
        bind: 'arg:--listen-address',
        port: '9000',
        profile: 'strict',
        models: 'llama-3, mistral',
        secret: 'keys',
        'drain-seconds': '60',
        cpu: '2',
        memory: '1Gi',
        'admin-port': '9901',
      },
    ),
  )
  expect(modelOf(pod).args).toEqual(['--listen-address', '127.0.0.1'])
  expect(modelOf(pod).lifecycle).toEqual({ preStop: { sleep: { seconds: 60 } } })
  expect(pod.spec!.terminationGracePeriodSeconds).toBe(70)
  expect(status).toMatchObject({
    mode: 'takeover',
    profile: 'strict',
    model: { port: 9000, bind: 'arg:--listen-address' },
  })
  expect(overlayOf(pod)).toMatchObject({ models: ['llama-3', 'mistral'], adminPort: 9901, drainSeconds: 60 })
  expect(guardOf(pod).resources).toEqual({ requests: { cpu: '2', memory: '1Gi' }, limits: { memory: '1Gi' } })
  const { pod: bounded } = inject(
    podWith({ ports: [{ containerPort: 7000 }] }, { memory: '1Gi', 'memory-limit': '2Gi' }),
  )
  expect(guardOf(bounded).resources).toMatchObject({ requests: { memory: '1Gi' }, limits: { memory: '2Gi' } })
  expect(guardOf(pod).env![0]).toEqual({ name: 'POSTERN_CONFIG', value: 'models: [$$(NOT_EXPANDED)]\n' })
  expect(pod.spec!.volumes).toContainEqual({
    name: 'postern-secret',
    secret: { secretName: 'keys', defaultMode: 420 },
  })
})

const refusals: Record<string, readonly [Pod, RegExp]> = {
  'an unknown annotation': [podWith({}, { modle: 'x' }), /no annotation "postern.dev\/modle"/],
  'a bad port': [podWith({}, { port: '80a' }), /write a port from 1/],
  'a profile that is not there': [podWith({}, { profile: 'loose' }), /default, strict/],
  'takeover of an unknown server': [podWith({}, { mode: 'takeover' }), /postern.dev\/bind/],
  'an argument for an image whose own arguments are unknown': [
    podWith({}, { bind: 'arg:--host', mode: 'takeover' }),
    /take the place/,
  ],
  'a container that is not there': [podWith({}, { container: 'other' }), /write one of model/],
  'no port': [podWith({ ports: [] }), /write containerPort/],
  'a host port': [podWith({ ports: [{ containerPort: 9000, hostPort: 80 }] }), /remove hostPort/],
  'a container with the name of the guard': [podWith({ name: 'postern' }), /another name/],
  'a mount of the keys of the guard': [
    podWith({ volumeMounts: [{ name: 'postern-run', mountPath: '/x' }] }),
    /another name/,
  ],
  'an admin port in use': [podWith({}, { 'admin-port': '9000' }), /in use/],
  'a probe of the guard without a guard': [
    podWith({ livenessProbe: { httpGet: { path: '/app-health/model/liveness', port: 8081 } } }),
    /write the probe of the model/,
  ],
}

test.each(Object.entries(refusals))('%s is refused with what to write', (_, [pod, why]) => {
  expect(refusal(pod)).toMatch(why)
})

const specs: Record<string, readonly [object, RegExp]> = {
  hostNetwork: [{ hostNetwork: true }, /remove hostNetwork/],
  Windows: [{ os: { name: 'windows' } }, /Linux only/],
  'Windows by selector': [{ nodeSelector: { 'kubernetes.io/os': 'windows' } }, /Linux only/],
  'no containers': [{ containers: [] }, /no containers/],
  'containers that are no list': [{ containers: 'all' }, /no pod/],
  Knative: [{ containers: [{ name: 'user' }, { name: 'queue-proxy' }] }, /RawDeployment/],
}

test.each(Object.entries(specs))('a pod with %s is refused', (_, [spec, why]) => {
  const pod = podWith({})
  expect(refusal({ ...pod, spec: { ...pod.spec!, ...spec } })).toMatch(why)
})

test('a forged guard, its volumes and what it says are replaced', () => {
  const forged = podWith({})
  const { pod } = inject({
    ...forged,
    spec: {
      ...forged.spec!,
      initContainers: [
        {
          name: 'postern',
          image: 'evil',
          command: ['sh'],
          securityContext: { privileged: true },
          env: [
            { name: 'NODE_OPTIONS', value: '--require /evil.js' },
            { name: 'POSTERN_CONFIG', value: 'x' },
          ],
          volumeMounts: [{ name: 'evil', mountPath: '/postern' }],
        },
      ],
      volumes: [
        { name: 'postern-trust', configMap: { name: 'evil' } },
        { name: 'postern-other', emptyDir: {} },
        { name: 'mine', emptyDir: {} },
      ],
    },
  })
  expect(pod.spec!.initContainers).toEqual(inject(forged).pod.spec!.initContainers)
  expect(pod.spec!.volumes!.map(({ name }) => name)).toEqual([
    'postern-trust',
    'mine',
    'postern-run',
    'postern-tmp',
    'postern-audit',
    'postern-token',
  ])
  expect(pod.spec!.volumes![0]).toEqual({
    name: 'postern-trust',
    configMap: { name: 'postern-trust', defaultMode: 420 },
  })
})

test('in takeover mode the guard makes the probes, of every kind', () => {
  const { pod } = inject(
    podWith({
      command: ['vllm', 'serve'],
      ports: [{ name: 'http', containerPort: 9000 }],
      startupProbe: { tcpSocket: { port: 'http' }, failureThreshold: 60 },
      livenessProbe: { grpc: { port: 9000 }, timeoutSeconds: 5 },
      readinessProbe: {
        httpGet: { path: '/health?x=$(Y)', port: 'http', httpHeaders: [{ name: 'x-a', value: 'b' }] },
      },
    }),
  )
  expect(modelOf(pod)).toMatchObject({
    startupProbe: { httpGet: { path: '/app-health/model/startup', port: 8081 }, failureThreshold: 60 },
    livenessProbe: { httpGet: { path: '/app-health/model/liveness', port: 8081 }, timeoutSeconds: 5 },
    readinessProbe: { httpGet: { path: '/app-health/model/readiness', port: 8081 } },
  })
  expect(guardOf(pod).env!.find(({ name }) => name === 'POSTERN_POD')!.value).not.toContain('$')
  expect(overlayOf(pod).probes).toEqual([
    { path: '/app-health/model/startup', action: { kind: 'tcp', port: 9000 }, timeoutSeconds: 1 },
    {
      path: '/app-health/model/liveness',
      action: { kind: 'grpc', port: 9000, service: '' },
      timeoutSeconds: 5,
    },
    {
      path: '/app-health/model/readiness',
      action: {
        kind: 'http',
        scheme: 'HTTP',
        port: 9000,
        path: '/health?x=$(Y)',
        headers: [{ name: 'x-a', value: 'b' }],
      },
      timeoutSeconds: 1,
    },
  ])
})

test('in service mode the guard takes the name of the port, and probes still find the model', () => {
  const { pod } = inject(
    podWith({
      ports: [{ name: 'http', containerPort: 9000 }],
      readinessProbe: { httpGet: { path: '/', port: 'http' } },
    }),
  )
  expect(modelOf(pod).ports).toEqual([{ name: 'postern-model', containerPort: 9000 }])
  expect(modelOf(pod).readinessProbe).toEqual({ httpGet: { path: '/', port: 'postern-model' } })
  expect(guardOf(pod).ports![0]).toEqual({ name: 'http', containerPort: 8080, protocol: 'TCP' })
})

test('ports that the model uses already are left to it, and the owner is told', () => {
  const { status, pod } = inject(podWith({ ports: [{ containerPort: 8080 }, { containerPort: 8081 }] }))
  expect(status).toMatchObject({ mode: 'service', port: 8082, model: { port: 8080 } })
  expect(overlayOf(pod).adminPort).toBe(8083)
  expect(status.warnings.join('\n')).toMatch(/listens on 8082[^]*admin port is 8083/)
})

test('a model beside its guard does not listen where monitoring is let in; where the guard takes its place it may', () => {
  expect(refusal(podWith({ ports: [{ containerPort: 8081 }] }))).toMatch(/port 8081, which NetworkPolicies/)
  const vllm = { image: 'vllm/vllm-openai:v1', args: ['--port', '8081'], ports: [{ containerPort: 8081 }] }
  expect(inject(podWith(vllm)).status).toMatchObject({ mode: 'takeover', port: 8081 })
})

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

test.each([
  ['ports', { ports: many(257, (i) => ({ name: `p${i}`, containerPort: 80 })) }],
  ['words', { args: many(4097, () => 'a') }],
  ['characters in one word', { command: ['sh', '-c', 'a '.repeat(70_000)] }],
  ['variables', { env: many(4097, () => ({ name: 'A', value: 'b' })) }],
])(
  'a pod with more %s than any real one is refused, for it would keep the webhook from all others',
  (_, more) => {
    expect(refusal(podWith(more))).toMatch(/Too big/)
  },
)

test('so is one with that many containers', () => {
  const pod = podWith({})
  const containers = many(129, (i) => ({ name: `c${i}`, image: 'x' }))
  expect(refusal({ ...pod, spec: { ...pod.spec!, containers } })).toMatch(/containers: Too big/)
})

test('the guard comes first, but after a verifier of the model', () => {
  const { spec } = podWith({})
  const initContainers = ['verify-model', 'download'].map((name) => ({ name, image: 'x' }))
  const names = (list: Container[]): string[] =>
    inject({ ...podWith({}), spec: { ...spec!, initContainers: list } }).pod.spec!.initContainers!.map(
      ({ name }) => name,
    )
  expect(names(initContainers)).toEqual(['verify-model', 'postern', 'download'])
  expect(names(initContainers.slice(1))).toEqual(['postern', 'download'])
  expect(names(initContainers.slice(0, 1).map((c) => ({ ...c, restartPolicy: 'Always' })))).toEqual([
    'postern',
    'verify-model',
  ])
})

test('a preStop hook of the owner stays, with a warning when it is shorter than the drain', () => {
  const own = { preStop: { exec: { command: ['sleep', '1'] } } }
  const { pod, status } = inject(podWith({ lifecycle: own }))
  expect(modelOf(pod).lifecycle).toEqual(own)
  expect(status.warnings.join('\n')).toMatch(/preStop hook of its own/)
})
