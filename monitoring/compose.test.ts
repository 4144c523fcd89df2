import { expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { boards } from './dashboards/all.ts'
import { dashboardOf } from './dashboards/render.ts'

const HERE = import.meta.dirname
const read = (name: string): string => readFileSync(join(HERE, name), 'utf8')
const readYaml = (name: string): unknown => parse(read(name))

interface Service {
  readonly image?: string
  readonly ports?: readonly string[]
}

const own = (readYaml('docker-compose.yml') as { services: Record<string, Service> }).services
const below = (readYaml('../docker-compose.yml') as { services: Record<string, Service> }).services
const isService = (name: string): boolean => name in own || name in below

interface Source {
  readonly uid: string
  readonly url: string
  readonly jsonData?: {
    readonly exemplarTraceIdDestinations?: readonly { name: string; datasourceUid: string }[]
    readonly derivedFields?: readonly { matcherRegex: string; datasourceUid: string }[]
    readonly tracesToLogsV2?: { readonly datasourceUid: string; readonly query: string }
  }
}

const sources = (readYaml('grafana/datasources.yaml') as { datasources: readonly Source[] }).datasources

const versionOf = (image = ''): string => image.replace('docker.io/', '')

test('images are pinned to the versions of the observability chart', () => {
  const values = readYaml('../charts/observability/values.yaml') as Record<string, { image?: string }>
  for (const [name, { image }] of Object.entries(own)) {
    if (image === undefined) continue
    expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+\.\d+$/)])
    const inChart = values[name]?.image
    if (inChart !== undefined) expect([name, image]).toEqual([name, versionOf(inChart)])
  }
  const steps = (file: string): string => /^FROM [^]*?\/tmp\/\*$/m.exec(read(file))?.[0] ?? file
  expect(steps('fluentd.Dockerfile')).toBe(steps('../charts/observability/fluentd/Dockerfile'))
})

test('every address in the configurations is one of a service, and nothing is published beyond this machine', () => {
  const scraped = (
    readYaml('prometheus.yaml') as {
      scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[]
    }
  ).scrape_configs.flatMap(({ static_configs: [config] }) => config?.targets ?? [])
  const hosts = [
    ...sources.map(({ url }) => new URL(url).hostname),
    ...scraped.map((target) => target.split(':')[0] ?? ''),
  ]
  expect(hosts.filter((host) => host !== 'localhost' && !isService(host))).toEqual([])
  for (const port of Object.values(own).flatMap(({ ports = [] }) => ports))
    expect(port).toMatch(/^127\.0\.0\.1:/)
})

test('the guard takes its configuration, and sends traces where Tempo listens', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(HERE, '../proxy/bin/postern.mjs'), 'check', '--document', 'compose/postern.yaml'],
    { cwd: HERE, encoding: 'utf8' },
  )
  expect({ status, stdout }).toMatchObject({ status: 0 })
  const endpoint = new URL(/^traces: (.*)$/m.exec(stdout)?.[1] ?? '')
  const tempo = readYaml('tempo.yaml') as {
    server: { http_listen_port: number }
    distributor: { receivers: { otlp: { protocols: { http: { endpoint: string } } } } }
  }
  expect(endpoint.pathname).toBe('/v1/traces')
  expect(`${endpoint.hostname} 0.0.0.0:${endpoint.port}`).toBe(
    `tempo ${tempo.distributor.receivers.otlp.protocols.http.endpoint}`,
  )
  expect(sources.find(({ uid }) => uid === 'tempo')?.url).toBe(
    `http://tempo:${tempo.server.http_listen_port}`,
  )
})

test('an exemplar and a log line lead to their trace, and a trace leads to its log lines', () => {
  const of = (uid: string) => sources.find((source) => source.uid === uid)?.jsonData
  expect(of('prometheus')?.exemplarTraceIdDestinations).toEqual([
    { name: 'trace_id', datasourceUid: 'tempo' },
  ])
  const [field] = of('loki')?.derivedFields ?? []
  const trace = '0af7651916cd43dd8448eb211c80319c'
  for (const line of [`{"trace_id":"${trace}"}`, `{"v":1,"trace":"${trace}"}`])
    expect(new RegExp(field?.matcherRegex ?? '').exec(line)?.[1]).toBe(trace)
  expect(field?.datasourceUid).toBe('tempo')
  // Two signs for one: Grafana puts variables of its environment in where it sees one.
  expect(of('tempo')?.tracesToLogsV2).toMatchObject({
    datasourceUid: 'loki',
    query: expect.stringContaining('$${__trace.traceId}'),
  })
})

test('panels ask for exemplars where there are any: lines that are drawn from buckets', () => {
  const targets = boards.flatMap((board) =>
    (dashboardOf(board).panels ?? []).flatMap((panel) =>
      'targets' in panel
        ? (panel.targets ?? []).map((target) => ({
            kind: panel.type,
            ...(target as unknown as { expr: string; exemplar?: boolean }),
          }))
        : [],
    ),
  )
  const asked = targets.filter(({ exemplar }) => exemplar === true)
  expect(asked.length).toBeGreaterThan(10)
  expect(asked.filter(({ kind, expr }) => kind !== 'timeseries' || !expr.includes('_bucket{'))).toEqual([])
})

test('every board is reached from the overview, and every link leads to one', () => {
  const links = boards.flatMap(({ uid, rows }) =>
    rows.flatMap(({ panels }) => panels.flatMap(({ more = [] }) => more.map((to) => ({ from: uid, to })))),
  )
  const uids = boards.map(({ uid }) => uid)
  expect(links.filter(({ to }) => !uids.includes(to))).toEqual([])
  const reached = links.filter(({ from }) => from === 'postern-overview').map(({ to }) => to)
  expect(uids.filter((uid) => uid !== 'postern-overview' && !reached.includes(uid))).toEqual([])
})

test('no share divides by nothing: where there is no traffic there is no number', () => {
  const shares = boards.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels
        .filter(({ unit }) => unit === 'percentunit')
        .flatMap((panel) => panel.queries.map(({ expr }) => ({ at: `${title} / ${panel.title}`, expr }))),
    ),
  )
  expect(shares.length).toBeGreaterThan(8)
  const divided = shares.filter(({ expr }) => / \/ /.test(expr))
  expect(divided.filter(({ expr }) => !/ \/ \(.* > 0\)$/s.test(expr)).map(({ at }) => at)).toEqual([])
})
