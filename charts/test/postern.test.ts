import { readFileSync } from 'node:fs'
import { expect } from '@jest/globals'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { readControllerConfig } from '../../proxy/src/compose/controller-config.ts'
import { defaultProfile } from '../../proxy/src/controller/inject/default-profile.ts'
import { unusedValues } from './change-each-value.ts'
import { checkDocument, dataOf, profilesOf } from './guard-check.ts'
import { helmTest, runHelm, template, type Manifest } from './helm.ts'
import { find, names, pick } from './manifests.ts'
import { all, chart, models, variants } from './postern-cases.ts'

const keda = { gateway: { autoscaling: { enabled: false }, keda: { enabled: true } } }

const rows = Object.entries(variants)

for (const [name, values] of rows) {
  helmTest(`${name}: helm lint --strict finds nothing`, async () => {
    const { status, stdout, stderr } = await runHelm(
      ['lint', '--strict', chart, '--kube-version', '1.36.0'],
      values,
    )
    expect(`${stdout}${stderr}`).not.toMatch(/\[(WARNING|ERROR)\]/)
    expect(status).toBe(0)
  })

  helmTest(`${name}: what is rendered is as it was looked at`, async () => {
    const manifests = await rendered(values)
    expect(new Set(names(manifests)).size).toBe(manifests.length)
    expect(shown(manifests, name === 'default' ? [] : await rendered({}))).toMatchSnapshot()
  })

  helmTest(`${name}: the guard accepts every profile, and the controller its file`, async () => {
    const manifests = await rendered(values)
    expect(profilesOf(manifests).map(checkDocument)).toEqual(profilesOf(manifests).map(() => ''))
    const file = dataOf(find(manifests, 'ConfigMap', 'postern-controller'))['controller.yaml']!
    expect(readControllerConfig(file, 'controller.yaml').namespace).toBe('postern')
  })
}

const rendered = (values: unknown): Promise<readonly Manifest[]> =>
  template(chart, { values, args: ['--kube-version', '1.36.0'] })

/** As YAML: the objects that a variant has otherwise than the default, and the names of those that it does not have. */
const shown = (manifests: readonly Manifest[], base: readonly Manifest[]): string => {
  const known = new Set(base.map((manifest) => stringify(manifest)))
  const changed = manifests.filter((manifest) => !known.has(stringify(manifest))).map(withoutCopies)
  const kept = new Set(names(manifests))
  const gone = names(base).filter((name) => !kept.has(name))
  return [
    ...gone.map((name) => `# without ${name}\n`),
    ...changed.map((manifest) => stringify(manifest)),
  ].join('---\n')
}

/** Dashboards and rules are tested where they are made; here only that they are there. */
const withoutCopies = (manifest: Manifest): unknown =>
  manifest.kind === 'PrometheusRule' || manifest.metadata.name.startsWith('postern-dashboard-')
    ? { kind: manifest.kind, metadata: manifest.metadata }
    : manifest

const refusals: readonly (readonly [string, unknown, RegExp])[] = [
  ['an unknown value', { replica: 3 }, /additional properties 'replica' not allowed/],
  [
    'an unknown value in a section',
    { gateway: { replica: 3 } },
    /at '\/gateway': additional properties 'replica' not allowed/,
  ],
  [
    'a wrong type',
    { controller: { replicas: 'two' } },
    /at '\/controller\/replicas': got string, want integer/,
  ],
  [
    'a choice that is none',
    { injection: { by: 'magic' } },
    /at '\/injection\/by': value must be one of 'webhook', 'policy'/,
  ],
  [
    'a mistake in a profile',
    { guard: { profiles: { default: { polcy: {} } } } },
    /at '\/guard\/profiles\/default'.*additional properties 'polcy' not allowed/s,
  ],
  ['a digest that is none', { image: { digest: 'latest' } }, /at '\/image\/digest'/],
  [
    'two autoscalers',
    { gateway: { enabled: true, autoscaling: { enabled: true }, keda: { enabled: true } } },
    /Switch one off/,
  ],
  [
    'nothing to scale by',
    { gateway: { enabled: true, autoscaling: { enabled: true, cpu: 0 } } },
    /nothing to scale by/,
  ],
  [
    'fewer gateways at most than at least',
    { gateway: { enabled: true, autoscaling: { maxReplicas: 1 } } },
    /less than minReplicas/,
  ],
  [
    'an issuer without a name',
    { gateway: { enabled: true, tls: { source: 'cert-manager' } } },
    /gateway\.tls\.issuer\.name is needed/,
  ],
  [
    'verified models without the policies that protect labels',
    { admission: { enabled: false, requireVerifiedModels: { enabled: true } } },
    /requireVerifiedModels needs admission\.enabled/,
  ],
  [
    'verified models without a key',
    { admission: { requireVerifiedModels: { enabled: true, configMaps: [] } } },
    /needs a name in configMaps or secrets/,
  ],
  [
    'verified models by a digest that no image has',
    { admission: { requireVerifiedModels: { enabled: true, digest: true } } },
    /digest needs image\.digest, or an entry of images/,
  ],
  [
    'an image that is a pattern',
    { admission: { requireVerifiedModels: { enabled: true, images: ['.*'] } } },
    /at '\/admission\/requireVerifiedModels\/images\/0'/,
  ],
]

for (const [what, values, message] of refusals)
  helmTest(`${what} is refused with a message that names it`, async () => {
    await expect(rendered(values)).rejects.toThrow(message)
  })

helmTest('the values of security/docs/models.md refuse models that nobody verified', async () => {
  const text = readFileSync(new URL('../../security/docs/models.md', import.meta.url), 'utf8')
  const [, block = ''] = /^```yaml postern values\n(.*?)^```/ms.exec(text) ?? []
  expect(names(await rendered(parse(block)))).toContain('ValidatingAdmissionPolicy/postern-verified')
})

helmTest('a policy instead of the webhook is refused by a cluster that does not know it', async () => {
  const old = template(chart, { values: variants.policy, args: ['--kube-version', '1.35.0'] })
  await expect(old).rejects.toThrow(/needs MutatingAdmissionPolicy v1/)
})

helmTest(
  'each value changes what is rendered',
  async () => {
    const unused = await unusedValues({
      chart,
      base: all,
      under: {
        'image.tag': {},
        'gateway.replicas': { gateway: { autoscaling: { enabled: false } } },
        'gateway.keda.prometheus': keda,
        'gateway.keda.query': keda,
        'gateway.keda.threshold': keda,
        'gateway.keda.enabled': { gateway: { autoscaling: { enabled: false } } },
        'certificates.settleSeconds': {},
      },
      samples: {
        'admission.hostPaths': ['/mnt/models'],
        'admission.requireVerifiedModels.identities': [{ identity: 'a', identityProvider: 'b' }],
        'admission.requireVerifiedModels.modelDigests': ['a'.repeat(64)],
        'admission.requireVerifiedModels.namespaceSelector': { matchLabels: { models: 'signed' } },
        'image.pullPolicy': 'Always',
        'networkPolicies.apiServerPorts': [7443],
        'image.digest': `sha256:${'a'.repeat(64)}`,
        'certificates.issuer': { name: 'other' },
        'gateway.tls.issuer': { name: 'other' },
        'gateway.configuration': { retry: { attempts: 1 } },
        'gateway.networkPolicy.from': [{ podSelector: {} }],
        'gateway.redis.password': { secret: 'other' },
        'guard.identity': { anonymous: { roles: ['user'] } },
        'guard.profiles': { other: {} },
        'policies.rego': { 'other.rego': 'package other\n' },
        'networkPolicies.apiServer': ['10.0.0.1/32'],
      },
    })
    expect(unused).toEqual([])
  },
  180_000,
)

helmTest(
  'a profile is laid over default, and gets what only the release knows unless it says so itself',
  async () => {
    const direct = { audiences: ['mine'], server: 'https://kubernetes.default.svc' }
    const manifests = await rendered({
      guard: {
        identity: { anonymous: { roles: ['user'] } },
        profiles: {
          strict: { limits: { maxOutputTokens: 7 }, policy: { engine: 'opa', url: 'http://127.0.0.1:8181' } },
          own: {
            identity: { serviceAccounts: { audiences: ['mine'], caFile: '/etc/postern/secrets/ca.crt' } },
          },
          apart: { identity: { serviceAccounts: direct } },
        },
      },
    })
    const data = dataOf(find(manifests, 'ConfigMap', 'postern-guard'))
    const profile = (name: string): unknown => parse(data[`${name}.yaml`]!)
    expect(pick(profile('strict'), 'limits.maxOutputTokens')).toBe(7)
    expect(pick(profile('strict'), 'upstreams.0.name')).toBe('model')
    expect(pick(profile('strict'), 'policy')).toEqual({ engine: 'opa', url: 'http://127.0.0.1:8181' })
    expect(pick(profile('own'), 'identity')).toEqual({
      serviceAccounts: {
        audiences: ['mine'],
        server: 'https://postern-controller.postern.svc',
        caFile: '/etc/postern/secrets/ca.crt',
        tokenFile: '/var/run/postern/token',
      },
    })
    expect(pick(profile('apart'), 'identity')).toEqual({ serviceAccounts: direct })
    expect(pick(profile('default'), 'limits')).toBeUndefined()
    expect(pick(profile('default'), 'policy.remote.url')).toBe(
      'https://postern-controller.postern.svc/v1/bundles/postern.tar.gz',
    )
  },
)

helmTest('postern inject shows offline the profile that the chart installs', async () => {
  const data = dataOf(find(await rendered({}), 'ConfigMap', 'postern-guard'))
  expect(parse(defaultProfile)).toEqual(parse(data['default.yaml']!))
})

helmTest('no guard or gateway shows the API server a token, unless its configuration says so', async () => {
  const gateway = { enabled: true, configuration: models }
  const pod = async (values: unknown): Promise<string> =>
    JSON.stringify(pick(find(await rendered(values), 'Deployment', 'postern-gateway'), 'spec.template.spec'))
  const usual = await pod({ gateway })
  expect(usual).toContain('"audience":"postern-controller"')
  expect(usual).not.toContain('kubernetes.io/serviceaccount')
  const others = { identity: { serviceAccounts: null, anonymous: { roles: ['user'] } } }
  expect(await pod({ gateway, guard: others })).toContain('postern-controller')
  expect(await pod({ gateway, guard: others, policies: { enabled: false } })).not.toMatch(
    /serviceAccountToken/,
  )
  const manifests = await rendered({ gateway })
  const reviewers = manifests.filter(
    ({ kind, metadata }) => kind === 'ClusterRoleBinding' && !metadata.name.endsWith('-controller'),
  )
  expect(names(reviewers)).toEqual([])
})

helmTest(
  'names follow the release, and the webhook has no caBundle that an upgrade could take away',
  async () => {
    const manifests = await template(chart, { release: 'other' })
    expect(names(manifests).filter((name) => !/\/other(-|$)/.test(name))).toEqual([])
    expect(JSON.stringify(find(manifests, 'MutatingWebhookConfiguration', 'other'))).not.toMatch(/caBundle/)
  },
)

helmTest('labels of the user stand beside the chart own, never in their place', async () => {
  const manifests = await rendered({ commonLabels: { team: 'a', 'app.kubernetes.io/name': 'x' } })
  for (const { kind, metadata } of manifests)
    expect([kind, metadata.name, metadata.labels?.team]).toEqual([kind, metadata.name, 'a'])
  expect(JSON.stringify(manifests)).not.toMatch(/"app.kubernetes.io\/name":"x"/)
})

helmTest('roles name verbs and resources, and the controller reads one Secret', async () => {
  const roles = (await rendered(all)).filter(({ kind }) => /Role$/.test(kind))
  const rules = roles.flatMap(
    (role) => pick(role, 'rules') as { resources: string[]; verbs: string[]; resourceNames?: string[] }[],
  )
  expect(JSON.stringify(rules)).not.toMatch(/"\*"/)
  const secrets = rules.filter(
    ({ resources, verbs }) => resources.includes('secrets') && JSON.stringify(verbs) !== '["create"]',
  )
  expect(secrets.map(({ resourceNames }) => resourceNames)).toEqual([['postern-ca']])
})

helmTest('the values that the README shows are accepted, by Helm and by the guard', async () => {
  const readme = readFileSync(new URL('../postern/README.md', import.meta.url), 'utf8')
  const examples = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']): unknown => parse(text))
  expect(examples.length).toBeGreaterThan(3)
  for (const values of examples)
    expect(
      profilesOf(await rendered(values))
        .map(checkDocument)
        .join(''),
    ).toBe('')
})

helmTest('security/rbac.yaml, for those without Helm, gives programs the same rights', async () => {
  const file = new URL('../../security/rbac.yaml', import.meta.url)
  const plain = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Manifest)
  const manifests = await rendered({})
  for (const [kind, name] of [
    ['ClusterRole', 'postern-controller'],
    ['Role', 'postern-controller'],
  ] as const)
    expect(pick(find(plain, kind, name), 'rules')).toEqual(pick(find(manifests, kind, name), 'rules'))
})

helmTest(
  'security/mtls-policy.yaml has a configuration that the guard accepts, and the image of the chart',
  async () => {
    const text = readFileSync(new URL('../../security/mtls-policy.yaml', import.meta.url), 'utf8')
    const plain = parseAllDocuments(text)
      .map((document) => document.toJS() as Manifest | null)
      .filter((manifest) => manifest !== null)
    expect(checkDocument(dataOf(find(plain, 'ConfigMap', 'postern-mtls'))['postern.yaml']!)).toBe('')
    const image = pick(
      find(await rendered({}), 'Deployment', 'postern-controller'),
      'spec.template.spec.containers.0.image',
    )
    expect(new Set(text.match(/ghcr[^\s']+[^\s'.]/g))).toEqual(new Set([image]))
  },
)
