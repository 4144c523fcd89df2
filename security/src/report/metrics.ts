import { exposition, type SecSample } from '../../../monitoring/sec-metrics.ts'
import type { RunRecord, TargetName, TargetTally } from './record.ts'

/** The gauges of a run in the Prometheus text format; names are those of monitoring/sec-metrics.ts. */
export const metricsOf = (record: RunRecord): string => {
  const targets = Object.entries(record.targets) as readonly [TargetName, TargetTally][]
  const { replayed } = record
  return exposition([
    ...targets.flatMap(([target, tally]) => ofTarget(target, tally, Date.parse(record.at) / 1000)),
    ...(replayed === undefined
      ? []
      : (['blocked', 'allowed'] as const).map((outcome): SecSample => ({
          name: 'postern_sec_replayed',
          labels: ['guarded', outcome],
          value: replayed[outcome],
        }))),
  ])
}

/**
 * Puts the gauges at a Pushgateway, under job `postern_sec` unless the address names a job itself. Throws Error with the
 * status when it does not take them.
 */
export const push = async (address: string, record: RunRecord): Promise<void> => {
  const url = new URL(address)
  if (!url.pathname.includes('/metrics/job/'))
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/metrics/job/postern_sec`
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'text/plain; version=0.0.4' },
    body: metricsOf(record),
    signal: AbortSignal.timeout(10_000),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`${url.host} answered ${response.status} to the metrics`)
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
