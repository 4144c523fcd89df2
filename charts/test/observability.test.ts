import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { unusedValues } from './change-each-value.ts'
import { helmTest, runHelm, template, type Manifest } from './helm.ts'
import { find, names, pick, podTemplates } from './manifests.ts'
import { podProblems } from './pod-security.ts'
import { cases, chart, everything, exceptions } from './observability-cases.ts'
import { configOf, looseEnds } from './wiring.ts'

const render = (values: unknown): Promise<readonly Manifest[]> =>
  template(chart, { values, release: 'observability' })

describe.each(Object.entries(cases))('%s', (_, { values, elsewhere }) => {
  helmTest('passes helm lint --strict', async () => {
    expect(await runHelm(['lint', '--strict', chart], values)).toMatchObject({ status: 0 })
  })

  helmTest('renders what it did before', async () => {
    expect((await render(values)).map(withoutContent)).toMatchSnapshot()
  })

  helmTest('has only pods that Pod Security restricted admits, but for three known exceptions', async () => {
    for (const { of, pod } of podTemplates(await render(values)))
      expect([...podProblems(pod)].sort()).toEqual([...(exceptions[of.metadata.name] ?? [])].sort())
  })

  helmTest('has no name that leads nowhere', async () => {
    // What a NetworkPolicy may speak of, though it is off.
    expect(looseEnds(await render(values), elsewhere)).toEqual([])
  })
})

/** Dashboards, rules and passwords are not this chart's: only what carries them. */
const withoutContent = (manifest: Manifest): unknown => {
  const { data, stringData } = manifest as Manifest &
    Readonly<Record<string, Readonly<Record<string, string>>>>
  const foreign = /^(alertmanager[.]yaml|postern[.]yaml)$|[.](json|ndjson|conf|rules[.]yaml)$/
  const short = (texts: Readonly<Record<string, string>>, all: boolean): unknown =>
    Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [key, all || foreign.test(key) ? '(content)' : text]),
    )
  const metadata = { ...manifest.metadata }
  const template = pick(manifest, 'spec.template.metadata.annotations') as Record<string, string> | undefined
  if (template?.['checksum/config'] !== undefined) template['checksum/config'] = '(checksum)'
  return {
    ...manifest,
    metadata,
    ...(data && { data: short(data, false) }),
    ...(stringData && { stringData: short(stringData, true) }),
  }
}

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined
/** `test` where Helm and the program are, else a skip by name. */
const programTest = (program: string, title: string, body: () => Promise<void>): void => {
  if (has(program)) helmTest(title, body)
  else test.skip(`${title} (skipped: ${program} is missing)`, body)
}

const run = (program: string, args: readonly string[]): Promise<{ status: number; output: string }> =>
  new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) =>
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
    )
  })

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-chart-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface ScrapeConfig {
  readonly job_name: string
  readonly kubernetes_sd_configs?: unknown
}

/** Debian's Prometheus is built without Kubernetes: the targets that it would find are written down. */
const withTargets = (config: string, found: readonly Readonly<Record<string, string>>[]): string => {
  const parsed = parse(config) as { readonly scrape_configs: readonly ScrapeConfig[] }
  const scrape = parsed.scrape_configs.map(({ kubernetes_sd_configs: sd, ...rest }) => ({
    ...rest,
    ...(sd !== undefined && {
      static_configs: found.map((labels) => ({ targets: [labels.__address__ ?? ''], labels })),
    }),
  }))
  return stringify({ ...parsed, scrape_configs: scrape }, { version: '1.1', lineWidth: 0 })
}

programTest('promtool', 'Prometheus accepts its configuration and the rules of monitoring/', () =>
  inFolder(async (folder) => {
    const manifests = await render({
      prometheus: { scrapeConfigs: [{ job_name: 'more', static_configs: [{ targets: ['a:1'] }] }] },
    })
    const texts = pick(find(manifests, 'ConfigMap', 'observability-prometheus'), 'data') as Record<
      string,
      string
    >
    expect(Object.keys(texts).some((name) => name.endsWith('.rules.yaml'))).toBe(true)
    for (const [name, text] of Object.entries(texts))
      writeFileSync(
        join(folder, name),
        name === 'prometheus.yml' ? withTargets(text.replaceAll('/etc/prometheus', folder), []) : text,
      )
    const { status, output } = await run('promtool', ['check', 'config', join(folder, 'prometheus.yml')])
    expect([status, output]).toEqual([0, expect.stringContaining('rules found')])
  }),
)

programTest('promtool', 'a guard is one target at its admin port, whatever ports its pod declares', () =>
  inFolder(async (folder) => {
    const pod = (
      port: number,
      more: Readonly<Record<string, string>> = {},
    ): Readonly<Record<string, string>> => ({
      __address__: `10.0.0.7:${port}`,
      __meta_kubernetes_pod_ip: '10.0.0.7',
      __meta_kubernetes_pod_phase: 'Running',
      __meta_kubernetes_pod_container_name: 'postern',
      __meta_kubernetes_namespace: 'models',
      __meta_kubernetes_pod_name: 'chat-0',
      ...more,
    })
    const addresses = async (
      found: readonly Readonly<Record<string, string>>[],
    ): Promise<readonly unknown[]> => {
      const config = configOf(await render({}), 'observability-prometheus', 'prometheus.yml')
      writeFileSync(join(folder, 'prometheus.yml'), withTargets(config, found))
      const { output } = await run('promtool', [
        ...['check', 'service-discovery', '--timeout=2s'],
        ...[join(folder, 'prometheus.yml'), 'postern-guard'],
      ])
      const targets = JSON.parse(output) as readonly { readonly labels?: Readonly<Record<string, string>> }[]
      const kept = targets.map(({ labels }) => labels).filter((labels) => labels?.__address__ !== undefined)
      return [...new Set(kept.map((labels) => `${labels?.__address__} ${labels?.namespace}/${labels?.pod}`))]
    }
    expect(await addresses([pod(8080), pod(8081)])).toEqual(['10.0.0.7:8081 models/chat-0'])
    expect(
      await addresses([pod(8080, { __meta_kubernetes_pod_annotation_postern_dev_admin_port: '9901' })]),
    ).toEqual(['10.0.0.7:9901 models/chat-0'])
    expect(await addresses([pod(8080, { __meta_kubernetes_pod_ip: 'fd00::7' })])).toEqual([
      '[fd00::7]:8081 models/chat-0',
    ])
    expect(await addresses([pod(8000, { __meta_kubernetes_pod_container_name: 'model' })])).toEqual([])
    expect(await addresses([pod(8080, { __meta_kubernetes_pod_phase: 'Succeeded' })])).toEqual([])
  }),
)

programTest('amtool', 'Alertmanager accepts its configuration', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'alertmanager.yaml')
    writeFileSync(file, configOf(await render({}), 'observability-alertmanager', 'alertmanager.yaml'))
    expect(await run('amtool', ['check-config', file])).toMatchObject({ status: 0 })
  }),
)

helmTest('every dashboard of monitoring/ is provisioned, in an object of its own', async () => {
  const manifests = await render({})
  const sources = (
    pick(find(manifests, 'Deployment', 'observability-grafana'), 'spec.template.spec.volumes') as readonly {
      readonly name: string
      readonly projected?: { readonly sources: readonly { readonly configMap: { readonly name: string } }[] }
    }[]
  ).find(({ name }) => name === 'dashboards')?.projected?.sources
  expect(sources?.length).toBeGreaterThan(0)
  for (const { configMap } of sources ?? []) {
    const texts = Object.values(
      pick(find(manifests, 'ConfigMap', configMap.name), 'data') as Record<string, string>,
    )
    expect(texts).toHaveLength(1)
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ uid: expect.any(String), panels: expect.any(Array) })
    expect(texts[0]?.length).toBeLessThan(1_000_000)
  }
})

helmTest('no password is a default: each is long, and none is written twice', async () => {
  const passwords = async (): Promise<readonly string[]> =>
    (await render({ elasticsearch: { enabled: true }, kibana: { enabled: true } }))
      .filter(({ kind }) => kind === 'Secret')
      .flatMap((secret) => Object.entries(pick(secret, 'stringData') as Record<string, string>))
      .filter(([key]) => key !== 'user')
      .map(([, text]) => text)
  const made = [...(await passwords()), ...(await passwords())]
  expect(made).toHaveLength(14)
  expect(new Set(made).size).toBe(14)
  for (const password of made) expect(password).toMatch(/^[0-9A-Za-z]{32,}$/)
})

helmTest('Prometheus may read pods, only them, and only where it is told to look', async () => {
  const wide = await render({})
  expect(
    pick(
      wide.find(({ kind }) => kind === 'ClusterRole'),
      'rules',
    ),
  ).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }])
  const narrow = await render({ prometheus: { namespaces: ['models'] } })
  expect(narrow.filter(({ kind }) => kind.startsWith('ClusterRole'))).toEqual([])
  expect(narrow.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.namespace)).toEqual([
    'models',
    'postern',
  ])
})

helmTest('every pod starts closed, and a component is opened only for those that use it', async () => {
  const manifests = await render({ elasticsearch: { enabled: true } })
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy')
  expect(pick(find(policies, 'NetworkPolicy', 'observability-default-deny'), 'spec.policyTypes')).toEqual([
    'Ingress',
    'Egress',
  ])
  expect(pick(find(policies, 'NetworkPolicy', 'observability-default-deny'), 'spec.ingress')).toBeUndefined()
  expect(pick(find(policies, 'NetworkPolicy', 'observability-loki'), 'spec.ingress.0.from')).toEqual([
    {
      podSelector: {
        matchLabels: {
          'app.kubernetes.io/instance': 'observability',
          'app.kubernetes.io/name': 'observability',
        },
        matchExpressions: [
          { key: 'app.kubernetes.io/component', operator: 'In', values: ['grafana', 'fluentd'] },
        ],
      },
    },
  ])
  expect(names(policies)).not.toContain('NetworkPolicy/observability-grafana')
})

helmTest('with Tempo, traces are linked both ways, and guards of any namespace may send theirs', async () => {
  const manifests = await render({ tempo: { enabled: true } })
  const { datasources } = parse(configOf(manifests, 'observability-grafana', 'datasources.yaml')) as {
    readonly datasources: readonly { readonly uid: string; readonly jsonData?: unknown }[]
  }
  const linked = (uid: string): string =>
    JSON.stringify(datasources.find((source) => source.uid === uid)?.jsonData)
  expect(linked('prometheus')).toContain('"datasourceUid":"tempo"')
  expect(linked('loki')).toContain('"datasourceUid":"tempo"')
  expect(linked('tempo')).toContain('"datasourceUid":"loki"')
  const traces = find(manifests, 'NetworkPolicy', 'observability-traces')
  expect(pick(traces, 'spec.ingress.0.ports')).toEqual([{ protocol: 'TCP', port: 4318 }])
  expect(pick(traces, 'spec.ingress.0.from.0')).toEqual({
    namespaceSelector: {},
    podSelector: { matchLabels: { 'postern.dev/injected': 'true' } },
  })
  expect(names(await render({})).filter((name) => name.includes('tempo'))).toEqual([])
})

helmTest('refuses Kibana without Elasticsearch, and Fluentd without Loki', async () => {
  await expect(render({ kibana: { enabled: true } })).rejects.toThrow(/needs elasticsearch\.enabled/)
  await expect(render({ loki: { enabled: false } })).rejects.toThrow(/needs loki\.enabled/)
})

helmTest('the notes say how to open it and what belongs into production', async () => {
  const { stdout } = await runHelm(
    ['install', 'observability', chart, '--dry-run=client', '--namespace', 'monitoring'],
    {},
  )
  expect(stdout).toContain('kubectl --namespace monitoring port-forward service/observability-grafana 3000')
  expect(stdout).toContain('prometheus-community/kube-prometheus-stack')
})

helmTest(
  'every value changes something',
  async () => {
    expect(
      await unusedValues({
        chart,
        // A password that is made would make every rendering differ.
        base: {
          ...everything,
          elasticsearch: { enabled: false },
          kibana: { enabled: false },
          grafana: { ...everything.grafana, adminSecret: 'own' },
        },
        samples,
        under,
      }),
    ).toEqual([])
  },
  300_000,
)

const peers = [{ podSelector: {} }]
const samples: Readonly<Record<string, unknown>> = {
  'networkPolicy.dns': peers,
  'networkPolicy.apiServer': [{ ipBlock: { cidr: '192.0.2.1/32' } }],
  'networkPolicy.apiServerPorts': [16443],
  'prometheus.scrapeConfigs': [{ job_name: 'changed' }],
  'alertmanager.egress': [{ ports: [{ port: 25 }] }],
  'grafana.clients': peers,
  'kibana.clients': peers,
  'fluentd.tolerations': [],
  'loki.retention': '24h',
}
const elastic = { elasticsearch: { enabled: true }, kibana: { enabled: true } }
const under: Readonly<Record<string, unknown>> = Object.fromEntries(
  [
    'elasticsearch.image',
    'elasticsearch.resources',
    'elasticsearch.size',
    'kibana.image',
    'kibana.resources',
    'kibana.clients',
  ].map((name) => [name, elastic]),
)
