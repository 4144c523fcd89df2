import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Release } from '@cdktf/provider-helm/lib/release/index.js'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { infrastructure } from '../app.ts'
import { blocks, listed, value } from '../aspects/read.ts'
import type { Attributes } from '../aspects/visit.ts'
import { charts } from '../charts.ts'
import { aws } from '../environments/aws.ts'
import { azure } from '../environments/azure.ts'
import { google } from '../environments/google.ts'
import { found } from '../test/programs.ts'
import { unless } from '../test/unless.ts'
import { all, only, type StackJson, synthesised } from '../test/synth.ts'
import { merged } from './access.ts'
import { fluentdConfig } from './fluentd.ts'
import { literal } from './literal.ts'

const root = join(import.meta.dirname, '../..')
const clouds = ['aws', 'google', 'azure'] as const
let stacks: Readonly<Record<string, StackJson>> = {}
beforeAll(() => {
  const platform = { ...aws.platform, demoModel: true, guard: { admission: { debug: 'warn' } } }
  stacks = synthesised({ ...aws, platform }, google, azure)
}, 60_000)

/** Values as Helm gets them: Terraform has read its own escapes. */
const plain = (text: string): string => text.replaceAll(/([$%])\1\{/g, '$1{')

const release = (cloud: string, name: string): Attributes => {
  const found = all(stacks[`${cloud}-platform`], 'helm_release').find(
    (attributes) => attributes.name === name,
  )
  if (found === undefined) throw new Error(`${cloud} installs no ${name}.`)
  return found
}

const text = (cloud: string, name: string): string => plain(String(listed(release(cloud, name).values)[0]))

const valuesOf = (cloud: string, name: string): Attributes => parse(text(cloud, name)) as Attributes

test.each(clouds)(
  '%s gets every chart at the version of charts.ts, after its namespace, rolled back when it fails',
  (cloud) => {
    for (const [name, chart] of Object.entries(charts)) {
      if ((name === 'gpu' && cloud === 'google') || (name === 'autoscaler' && cloud !== 'aws')) continue
      expect(release(cloud, name)).toMatchObject({
        chart: chart.chart,
        repository: chart.repository,
        version: chart.version,
        namespace: chart.namespace,
        atomic: true,
      })
      expect(release(cloud, name).depends_on).toContain(
        `kubernetes_namespace_v1.namespace-${chart.namespace}`,
      )
    }
  },
)

test('what makes monitors is installed after what knows them', () => {
  for (const cloud of clouds)
    for (const chart of all(stacks[`${cloud}-platform`], 'helm_release')) {
      const makesMonitors = /(service|pod)monitor: ?\n? *(\n *)?enabled: true/i.test(
        text(cloud, String(chart.name)),
      )
      const waits = listed(chart.depends_on).includes('helm_release.monitoring-release')
      expect([cloud, chart.name, makesMonitors && !waits]).toEqual([cloud, chart.name, false])
    }
})

test('our charts are those of this checkout, wherever it is', () => {
  const stack = infrastructure([aws], join(root, 'infra/cdktf.out')).node.findChild('aws-platform')
  const chart = stack.node.findChild('postern-release')
  expect(chart instanceof Release && chart.chartInput).toBe('${path.module}/../../../../charts/postern')
})

test('guards are found, their rules loaded and their dashboards shown by the monitoring that is installed', () => {
  const { monitoring } = valuesOf('google', 'postern')
  const selected = { release: release('google', 'monitoring').name }
  expect(monitoring).toMatchObject({
    podMonitor: { enabled: true, labels: selected },
    serviceMonitor: { enabled: true, labels: selected },
    rules: { enabled: true, labels: selected },
    dashboards: { enabled: true },
  })
})

test('a value of the environment counts more than ours', () => {
  expect(value(valuesOf('aws', 'postern'), 'admission', 'debug')).toBe('warn')
  expect(value(valuesOf('google', 'postern'), 'admission', 'debug')).toBe('refuse')
  expect(merged({ a: { b: 1, c: [1] } }, { a: { c: [2] }, d: null })).toEqual({
    a: { b: 1, c: [2] },
    d: null,
  })
})

test('no password is among the values, and Grafana does not keep the one of its chart', () => {
  expect(value(valuesOf('aws', 'monitoring'), 'grafana', 'adminPassword')).toBeNull()
  expect(JSON.stringify(clouds.map((cloud) => all(stacks[`${cloud}-platform`], 'helm_release')))).not.toMatch(
    /prom-operator|password\\?": ?\\?"[^"\\]/i,
  )
})

test('Terraform gives Fluentd, Loki and Prometheus their texts unchanged, and takes none of it for its own', () => {
  const files = Object.fromEntries(
    all(stacks['aws-platform'], 'kubernetes_config_map_v1')
      .flatMap((map) => blocks(map, 'data'))
      .flatMap((data) => Object.entries(data).map(([name, content]) => [name, String(content)] as const)),
  )
  expect(plain(files['fluent.conf'] ?? '')).toBe(fluentdConfig())
  expect(plain(files['postern.yaml'] ?? '')).toBe(
    readFileSync(join(root, 'monitoring/loki-rules.yaml'), 'utf8'),
  )
  for (const file of Object.values(files)) expect(file).not.toMatch(/(^|[^$])\$\{|(^|[^%])%\{/)
  expect(literal('${a} %{b} $${c} $d 5%')).toBe('$${a} %%{b} $$${c} $d 5%')
})

test('claims are on encrypted disks', () => {
  for (const cloud of clouds) {
    expect(value(only(stacks[`${cloud}-platform`], 'kubernetes_storage_class_v1'), 'metadata', 'name')).toBe(
      'encrypted',
    )
    expect(value(valuesOf(cloud, 'loki'), 'singleBinary', 'persistence', 'storageClass')).toBe('encrypted')
    expect(
      value(
        valuesOf(cloud, 'monitoring'),
        'prometheus',
        'prometheusSpec',
        'storageSpec',
        'volumeClaimTemplate',
        'spec',
        'storageClassName',
      ),
    ).toBe('encrypted')
  }
})

test('the shipper holds no token of the cluster, cannot write its disk and has a fixed image', () => {
  const [pod] = blocks(only(stacks['azure-platform'], 'kubernetes_daemon_set_v1'), 'spec', 'template', 'spec')
  expect(pod?.automount_service_account_token).toBe(false)
  const [container] = blocks(pod ?? {}, 'container')
  expect(container?.security_context).toMatchObject({
    allow_privilege_escalation: false,
    read_only_root_filesystem: true,
  })
  expect(container?.image).toMatch(/:\d+\.\d+\.\d+$/)
})

const helm = found('helm')
const folder = mkdtempSync(join(tmpdir(), 'postern-platform-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

unless(helm, 'helm')('our charts take the values of every cloud, by their closed schemas', () => {
  const shown = (
    chart: string,
    name: string,
    cloud: string,
  ): readonly { kind: string; metadata: { name: string } }[] => {
    const file = join(folder, 'values.yaml')
    writeFileSync(file, text(cloud, name))
    const args = ['template', name, join(root, 'charts', chart), '--values', file, '--namespace', 'postern']
    const versions = ['--kube-version', '1.35.0', '--api-versions', 'monitoring.coreos.com/v1']
    const rendered = execFileSync(helm ?? '', [...args, ...versions], {
      maxBuffer: 1 << 26,
      stdio: 'pipe',
    }).toString()
    return parseAllDocuments(rendered)
      .map((document) => document.toJS() as { kind: string; metadata: { name: string } } | null)
      .filter((object) => object !== null)
  }
  for (const cloud of clouds) {
    const objects = shown('postern', 'postern', cloud)
    const dashboards = readdirSync(join(root, 'monitoring/generated/dashboards')).length
    expect(objects.filter(({ metadata }) => metadata.name.includes('dashboard'))).toHaveLength(dashboards)
    expect(objects.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['PodMonitor', 'ServiceMonitor', 'PrometheusRule']),
    )
  }
  expect(shown('llm-api', 'demo-model', 'aws').map(({ kind }) => kind)).toContain('Deployment')
})
