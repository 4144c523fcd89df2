import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { eventually } from '../cluster/processes.ts'
import { api, type Api } from '../support/api.ts'

const file = (name: string): string => fileURLToPath(new URL(`../../security/${name}`, import.meta.url))

let cluster: Api

const refusedBy = (policy: string, create: () => Promise<string>): Promise<void> =>
  eventually(async () => {
    const said = await create().catch(String)
    if (!said.includes(`ValidatingAdmissionPolicy '${policy}'`)) throw new Error(said)
  }, 30)

describe('security/rbac.yaml', () => {
  beforeAll(async () => {
    cluster = await api()
    await cluster.kubectl(['apply', '-f', file('rbac.yaml')])
    await refusedBy('postern-policy-authors', () => write('any', 'labels: {}', author))
  })
  afterAll(() => cluster.kubectl(['delete', '-f', file('rbac.yaml'), '--ignore-not-found']))

  const author = ['--as=ann', '--as-group=postern:policy-authors']
  const can = async (who: readonly string[], ...what: readonly string[]): Promise<boolean> =>
    (
      await cluster.kubectl(['auth', 'can-i', ...what, ...who]).catch((error: unknown) => String(error))
    ).trim() === 'yes'

  const write = (name: string, metadata: string, who: readonly string[]): Promise<string> =>
    cluster.kubectl(
      ['create', '--dry-run=server', '-f', '-', ...who],
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: postern, ${metadata}}}`,
    )

  test('applies as it stands, and again', async () => {
    expect(await cluster.kubectl(['apply', '-f', file('rbac.yaml')])).not.toMatch(/created/)
  })

  interface Rights {
    readonly as: readonly string[]
    readonly may: readonly string[]
    readonly mayNot: readonly string[]
  }
  const rights: Readonly<Record<string, Rights>> = {
    'the controller': {
      as: ['--as=system:serviceaccount:postern:postern-controller'],
      may: [
        'get secret/postern-ca -n postern',
        'create tokenreviews',
        'list pods -A',
        'patch mutatingwebhookconfigurations/postern',
        'patch configmaps/postern-trust -n default',
      ],
      mayNot: [
        'get secret/other -n postern',
        'list secrets -n postern',
        'get secret/postern-ca -n default',
        'create pods -n postern',
        'patch configmaps/other -n default',
        'update mutatingwebhookconfigurations/other',
        'update clusterroles',
      ],
    },
    'a guard': {
      as: ['--as=system:serviceaccount:default:default', '--as-group=system:serviceaccounts'],
      may: [],
      mayNot: [
        'create tokenreviews',
        'get pods -n default',
        'get secrets -n default',
        'list configmaps -n postern',
      ],
    },
    'an administrator': {
      as: ['--as=eve', '--as-group=postern:admins'],
      may: [
        'patch namespaces',
        'update deployments --subresource=scale -n postern',
        'delete pods -n postern',
        'get validatingadmissionpolicies',
      ],
      mayNot: [
        'get secrets -n postern',
        'update validatingadmissionpolicies',
        'update clusterroles',
        'update deployments -n default',
        'update deployments -n postern',
        'create pods -n postern',
        'create pods --subresource=exec -n postern',
      ],
    },
    'a policy author': {
      as: author,
      may: ['update configmaps -n postern', 'list events -n postern'],
      mayNot: ['get secrets -n postern', 'update configmaps -n default', 'update deployments -n postern'],
    },
    'a viewer': {
      as: ['--as=bob', '--as-group=postern:viewers'],
      may: ['list pods -A', 'get configmaps -n postern', 'list networkpolicies -A'],
      mayNot: [
        'get secrets -n postern',
        'get configmaps -n default',
        'update configmaps -n postern',
        'get pods --subresource=log -n postern',
      ],
    },
  }

  test.each(Object.entries(rights))(
    '%s may do what is meant, and not more',
    async (_, { as, may, mayNot }) => {
      const allowed = async (list: readonly string[]) => {
        const found: string[] = []
        for (const what of list) if (await can(as, ...what.split(' '))) found.push(what)
        return found
      }
      expect(await allowed(may)).toEqual(may)
      expect(await allowed(mayNot)).toEqual([])
    },
  )

  test('a policy author writes policies, and no other ConfigMap', async () => {
    expect(await write('mine', 'labels: {openpolicyagent.org/policy: rego}', author)).toMatch(/created/)
    expect(await write('mine', 'labels: {openpolicyagent.org/data: opa}', author)).toMatch(/created/)
    await expect(write('postern-guard', 'labels: {}', author)).rejects.toThrow(
      /policy authors write ConfigMaps with the label/,
    )
    const other = ['-n', 'postern', 'configmap', 'kube-root-ca.crt', ...author]
    await expect(cluster.kubectl(['delete', ...other])).rejects.toThrow(/policy authors write/)
    await expect(cluster.kubectl(['label', ...other, 'openpolicyagent.org/policy=rego'])).rejects.toThrow(
      /policy authors write/,
    )
    expect(
      await write('any', 'labels: {}', [
        '--as=eve',
        '--as-group=postern:admins',
        '--as-group=postern:policy-authors',
      ]),
    ).toMatch(/created/)
  })
})

describe('security/mtls-policy.yaml', () => {
  beforeAll(async () => {
    await cluster.kubectl(['apply', '-f', file('mtls-policy.yaml')])
    await eventually(() => cluster.kubectl(['-n', 'llm', 'get', 'serviceaccount', 'default']), 20)
    await refusedBy('postern-mtls', () => create((pod) => delete pod.spec.initContainers))
  })
  afterAll(() => cluster.kubectl(['delete', '-f', file('mtls-policy.yaml'), '--ignore-not-found']))

  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
  /** The pod of the comment at the top of the file, read from there, so that it cannot go stale. */
  const example = () => {
    const comment = readFileSync(file('mtls-policy.yaml'), 'utf8')
      .split('\n')
      .filter((line) => /^# {3}/.test(line))
    const text = comment.slice(comment.indexOf('#   spec:')).map((line) => line.slice(4))
    const { spec } = parse(text.join('\n')) as { spec: Spec }
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'model', namespace: 'llm' },
      spec: {
        ...spec,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
        initContainers: (spec.initContainers ?? []).map((container) => ({
          ...container,
          securityContext: restricted,
        })),
        containers: [
          { name: 'model', image: 'example.invalid/model:1', securityContext: restricted },
        ] as Container[],
      } as Spec,
    }
  }
  interface Container {
    name: string
    image: string
    securityContext?: unknown
    args?: string[]
    restartPolicy?: string
    env?: unknown[]
    ports?: unknown[]
    livenessProbe?: unknown
    volumeMounts?: { name: string; mountPath: string; subPath?: string }[]
  }
  interface Spec {
    initContainers?: Container[]
    containers: Container[]
    volumes: {
      name: string
      configMap?: { name: string; items?: unknown[] }
      secret?: unknown
      emptyDir?: unknown
      persistentVolumeClaim?: unknown
    }[]
  }
  type Example = ReturnType<typeof example>

  const create = (change: (pod: Example) => unknown = () => undefined): Promise<string> => {
    const pod = example()
    change(pod)
    return cluster.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod))
  }
  const guardIn = (pod: Example): Container => pod.spec.initContainers![0]!

  test('the pod that it shows is admitted, under Pod Security restricted', async () => {
    expect(await create()).toMatch(/pod\/model created/)
  })

  const refused: readonly (readonly [string, (pod: Example) => unknown, RegExp])[] = [
    ['without a guard', (pod) => delete pod.spec.initContainers, /have the guard beside the model/],
    [
      'whose guard ends',
      (pod) => delete guardIn(pod).restartPolicy,
      /have the guard|lifecycle|may not be set/,
    ],
    [
      'with another image',
      (pod) => (guardIn(pod).image = 'example.invalid/x:1'),
      /image of the container postern/,
    ],
    ['with another configuration file', (pod) => (guardIn(pod).args = ['serve', '/tmp/x.yaml']), /runs args/],
    ['with NODE_OPTIONS', (pod) => (guardIn(pod).env = [{ name: 'NODE_OPTIONS', value: 'x' }]), /runs args/],
    [
      'with a command as probe',
      (pod) => (guardIn(pod).livenessProbe = { exec: { command: ['x'] } }),
      /runs args/,
    ],
    [
      'with another ConfigMap',
      (pod) => (pod.spec.volumes[0]!.configMap!.name = 'mine'),
      /is the ConfigMap postern-mtls/,
    ],
    [
      'with an empty folder for it',
      (pod) => (pod.spec.volumes[0] = { name: 'postern-config', emptyDir: {} }),
      /is the ConfigMap postern-mtls/,
    ],
    [
      'with a Secret of its own, whose CA would say who may call',
      (pod) => (pod.spec.volumes[1]!.secret = { secretName: 'mine' }),
      /Secret postern-tls/,
    ],
    [
      'with a container before the guard',
      (pod) => pod.spec.initContainers!.unshift({ ...pod.spec.containers[0]!, name: 'early' }),
      /first init container/,
    ],
    [
      'with a device over the program',
      (pod) => {
        pod.spec.volumes.push({ name: 'mine', persistentVolumeClaim: { claimName: 'mine' } })
        Object.assign(guardIn(pod), { volumeDevices: [{ name: 'mine', devicePath: '/postern/x' }] })
      },
      /runs args/,
    ],
    [
      'with processes that its containers share',
      (pod) => Object.assign(pod.spec, { shareProcessNamespace: true }),
      /processes of the guard/,
    ],
    ['without the certificate', (pod) => guardIn(pod).volumeMounts!.pop(), /mounts volume postern-config/],
    [
      'with a volume over the program',
      (pod) => guardIn(pod).volumeMounts!.push({ name: 'postern-config', mountPath: '/postern' }),
      /mounts volume postern-config/,
    ],
    [
      'whose model has the key',
      (pod) => (pod.spec.containers[0]!.volumeMounts = [{ name: 'postern-tls', mountPath: '/x' }]),
      /only the container postern mounts/,
    ],
  ]

  test.each(refused)('a pod %s is refused', async (_, change, message) => {
    await expect(create(change)).rejects.toThrow(message)
  })

  test('who edits the namespace changes neither the configuration of guards nor its NetworkPolicies, and adds none', async () => {
    await cluster.kubectl([
      ...['-n', 'llm', 'create', 'rolebinding', 'editor', '--clusterrole=edit', '--user=editor'],
    ])
    const editor = (args: readonly string[], stdin?: string): Promise<string> =>
      cluster.kubectl(['-n', 'llm', '--as=editor', ...args], stdin)
    const open = `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: open}, spec: {podSelector: {}, ingress: [{}]}}`
    const changed = [
      'patch',
      'configmap',
      'postern-mtls',
      '--type=merge',
      '-p',
      '{"data":{"postern.yaml":"x"}}',
    ]
    for (const attempt of [
      editor(changed),
      editor(['delete', 'configmap', 'postern-mtls']),
      editor(['delete', '--raw', '/api/v1/namespaces/llm/configmaps']),
      editor(['delete', 'networkpolicy', 'guard']),
      editor(['create', '-f', '-'], open),
    ])
      await expect(attempt).rejects.toThrow(/only who may change admission policies/)
    await editor(['create', 'configmap', 'mine'])
    await cluster.kubectl(['-n', 'llm', 'create', '--dry-run=server', '-f', '-'], open)
  })

  test('the image of a running guard does not change', async () => {
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(example()))
    const set = (image: string) => cluster.kubectl(['-n', 'llm', 'set', 'image', 'pod/model', image])
    await expect(set('postern=example.invalid/x:1')).rejects.toThrow(/image of the container postern/)
    await set('model=example.invalid/model:2')
    await cluster.kubectl(['-n', 'llm', 'delete', 'pod', 'model', '--force'])
  })

  test('only the port of the guard is open, and nothing goes out but names', async () => {
    const policies = JSON.parse(
      await cluster.kubectl(['-n', 'llm', 'get', 'networkpolicies', '-o', 'json']),
    ) as {
      items: {
        metadata: { name: string }
        spec: {
          podSelector: unknown
          policyTypes: string[]
          ingress?: { ports: { port: number }[] }[]
          egress?: { ports: { port: number }[] }[]
        }
      }[]
    }
    for (const { spec } of policies.items)
      expect([spec.podSelector, spec.policyTypes]).toEqual([{}, ['Ingress', 'Egress']])
    const ports = (side: 'ingress' | 'egress') =>
      policies.items.flatMap(({ spec }) =>
        (spec[side] ?? []).flatMap((rule) => rule.ports.map(({ port }) => port)),
      )
    expect(ports('ingress')).toEqual([8443, 8081])
    expect(ports('egress')).toEqual([53, 53])
  })
})
