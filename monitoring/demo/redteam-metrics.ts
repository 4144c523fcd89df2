import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exposition, secGroup, type SecSample, type SecTarget } from '../sec-metrics.ts'

export interface RedteamMetrics {
  /** `host:port` of what Prometheus scrapes, as it would a Pushgateway. */
  readonly target: string
  close(): Promise<void>
}

const FAMILIES = ['role_play', 'encoding', 'indirect', 'extraction'] as const

/**
 * Made-up results of two tools and a replay. The names are those that a real run pushes; only that names, labels and queries fit is
 * shown here.
 */
export const startRedteamMetrics = async (): Promise<RedteamMetrics> => {
  const text = grouped([
    [
      ['postern', 'demo-small', 'attack'],
      [...run('guarded', 1), ...run('bare', 20)],
    ],
    [['garak', 'demo-small', 'attack'], run('guarded', 0)],
    [['postern', 'demo-small', 'replay'], REPLAY],
  ])
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const run = (target: SecTarget, successes: number): readonly SecSample[] => [
  { name: 'postern_sec_run_timestamp_seconds', labels: [target], value: Math.floor(Date.now() / 1000) },
  ...FAMILIES.flatMap((family, at): SecSample[] => [
    { name: 'postern_sec_attacks', labels: [target, family], value: 50 },
    { name: 'postern_sec_successes', labels: [target, family], value: at * successes },
  ]),
  { name: 'postern_sec_confusion', labels: [target, 'attack', 'blocked'], value: 190 },
  { name: 'postern_sec_confusion', labels: [target, 'attack', 'allowed'], value: 10 },
  { name: 'postern_sec_confusion', labels: [target, 'benign', 'blocked'], value: 1 },
  { name: 'postern_sec_confusion', labels: [target, 'benign', 'allowed'], value: 299 },
]

const REPLAY: readonly SecSample[] = [
  { name: 'postern_sec_replayed', labels: ['guarded', 'blocked'], value: 12 },
  { name: 'postern_sec_replayed', labels: ['guarded', 'allowed'], value: 1 },
]

/** Each push with the labels of its group, as a Pushgateway gives it out; HELP and TYPE may be there once only. */
const grouped = (pushes: readonly (readonly [readonly string[], readonly SecSample[]])[]): string =>
  pushes
    .flatMap(([values, samples]) => {
      const labels = secGroup.map((label, at) => `${label}="${values[at] ?? ''}"`).join(',')
      return exposition(samples)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => `${line.replace('{', `{${labels},`)}\n`)
    })
    .join('')
