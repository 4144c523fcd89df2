import { createHash } from 'node:crypto'
import {
  exposition,
  secGroup,
  secMetrics,
  type SecRun,
  type SecSample,
} from '../../../monitoring/sec-metrics.ts'
import type { RunRecord, TargetName, TargetTally } from './record.ts'

/**
 * The gauges of a run in the Prometheus text format; names are those of monitoring/sec-metrics.ts. Of a replay only what became of
 * the replayed: they are chosen because they work, so in a rate of successes they would count twice.
 */
export const metricsOf = (record: RunRecord): string => {
  const { replayed } = record
  if (replayed !== undefined)
    return exposition(
      (['blocked', 'allowed'] as const).map((outcome) => ({
        name: 'postern_sec_replayed',
        labels: ['guarded', outcome],
        value: replayed[outcome],
      })),
    )
  const targets = Object.entries(record.targets) as readonly [TargetName, TargetTally][]
  return exposition(
    targets.flatMap(([target, tally]) => ofTarget(target, tally, Date.parse(record.at) / 1000)),
  )
}

/**
 * Puts the gauges at a Pushgateway, in place of what the last run with the same address put there. Throws Error with the status when
 * it does not take them.
 */
export const push = async (address: string, record: RunRecord): Promise<void> => {
  const url = groupAddress(address, record)
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'text/plain; version=0.0.4' },
    body: metricsOf(record),
    signal: AbortSignal.timeout(10_000),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`${url.host} answered ${response.status} to the metrics`)
}

/**
 * Where a Pushgateway keeps a run: job `postern_sec` and the labels `tool`, `model` and `run`, so that only the next such run replaces
 * it. An address that names a job, and perhaps labels of its own, is kept and gets those labels that it does not name. Throws Error
 * when it names a label of the metrics: the Pushgateway would write over those.
 */
export const groupAddress = (address: string, record: RunRecord): URL => {
  const url = new URL(address)
  const base = url.pathname.replace(/\/+$/, '')
  const own = /\/metrics\/(job(?:@base64)?\/.*)$/.exec(base)?.[1]
  const named = (own ?? '')
    .split('/')
    .filter((_, at) => at % 2 === 0)
    .map((name) => name.replace('@base64', ''))
  const taken = named.find((name) => METRIC_LABELS.has(name))
  if (taken !== undefined)
    throw new Error(
      `--push: ${taken} is a label of the metrics themselves; give that of the address another name`,
    )
  const run: SecRun = record.replayed === undefined ? 'attack' : 'replay'
  const values = { tool: record.tool, model: record.model, run }
  const labels = secGroup.filter((label) => !named.includes(label)).map((label) => part(label, values[label]))
  url.pathname = [own === undefined ? `${base}/metrics/job/postern_sec` : base, ...labels].join('/')
  return url
}

const METRIC_LABELS: ReadonlySet<string> = new Set(
  Object.values(secMetrics).flatMap(({ labels }) => [...labels]),
)
const MOST = 96 // characters of a label

/** As it is where a URL leaves it alone, else in base64: the only way for a slash, for nothing, and for `..`. */
const part = (label: string, value: string): string => {
  const short = bounded(value)
  if (/^\w[\w.:-]*$/.test(short)) return `${label}/${short}`
  return `${label}@base64/${Buffer.from(short).toString('base64url') || '='}`
}

/** Long ones that differ stay different. */
const bounded = (value: string): string => {
  if (value.length <= MOST) return value
  const digest = createHash('sha256').update(value).digest('hex').slice(0, 16)
  return `${value.slice(0, MOST - digest.length - 1)}~${digest}`
}

const ofTarget = (target: TargetName, tally: TargetTally, seconds: number): readonly SecSample[] => [
  { name: 'postern_sec_run_timestamp_seconds', labels: [target], value: seconds },
  ...Object.entries(tally.families).flatMap(([family, { attacks, successes }]): readonly SecSample[] => [
    { name: 'postern_sec_attacks', labels: [target, family], value: attacks },
    { name: 'postern_sec_successes', labels: [target, family], value: successes },
  ]),
  ...(['attack', 'benign'] as const).flatMap((expected) =>
    (['blocked', 'allowed'] as const).map((actual): SecSample => ({
      name: 'postern_sec_confusion',
      labels: [target, expected, actual],
      value: tally.confusion[expected][actual],
    })),
  ),
]
