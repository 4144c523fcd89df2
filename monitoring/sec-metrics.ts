/**
 * What `postern-sec attack --push` tells of its last run, as gauges: a run is a job, not a process that is scraped. Every label is
 * bounded: targets are two, families and outcomes come from our own tables, never from an attack's text. The Pushgateway adds
 * those of the group.
 */
export const secMetrics = {
  postern_sec_run_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the last red-team run ended, in Unix time. Not of replays: they send what is known to work, and nothing else.',
    labels: ['target'],
  },
  postern_sec_attacks: {
    kind: 'gauge',
    help: 'Attacks that the last run sent, by family.',
    labels: ['target', 'family'],
  },
  postern_sec_successes: {
    kind: 'gauge',
    help: 'Attacks of the last run that got what they wanted, by family.',
    labels: ['target', 'family'],
  },
  postern_sec_confusion: {
    kind: 'gauge',
    help: 'Prompts of the last run, by what they are (attack, benign) and what happened to them (blocked, allowed).',
    labels: ['target', 'expected', 'actual'],
  },
  postern_sec_replayed: {
    kind: 'gauge',
    help: 'Attacks that once got through and were sent again, by what happened this time: blocked, allowed.',
    labels: ['target', 'outcome'],
  },
} as const satisfies Record<string, { kind: 'gauge'; help: string; labels: readonly string[] }>

export type SecMetricName = keyof typeof secMetrics

/**
 * Labels of a Pushgateway's group: what a push replaces is the last push with the same ones. The Pushgateway puts them on every
 * metric of the push, over labels of the same name, so none may be a metric's own.
 */
export const secGroup = ['tool', 'model', 'run'] as const

/** `attack` plans attacks or lets a tool plan them; `replay` sends again what once worked. */
export type SecRun = 'attack' | 'replay'

/** Which server was attacked: the guard, or the same model without one. */
export type SecTarget = 'guarded' | 'bare'

export interface SecSample {
  readonly name: SecMetricName
  /** In the order of the metric's row. */
  readonly labels: readonly string[]
  readonly value: number
}

/**
 * The Prometheus text format 0.0.4, as a Pushgateway or a textfile collector takes it. Throws RangeError when a sample has another number
 * of labels than its row, or a value that is not finite.
 */
export const exposition = (samples: readonly SecSample[]): string =>
  (Object.keys(secMetrics) as SecMetricName[])
    .map((name) => ({ name, of: samples.filter((sample) => sample.name === name) }))
    .filter(({ of }) => of.length > 0)
    .map(
      ({ name, of }) =>
        `# HELP ${name} ${secMetrics[name].help}\n# TYPE ${name} gauge\n${of.map(line).join('')}`,
    )
    .join('')

const line = ({ name, labels, value }: SecSample): string => {
  const names: readonly string[] = secMetrics[name].labels
  if (labels.length !== names.length || !Number.isFinite(value))
    throw new RangeError(`${name} takes ${names.length} labels and a finite value`)
  const pairs = names.map((label, at) => `${label}="${escaped(labels[at] ?? '')}"`)
  return `${name}{${pairs.join(',')}} ${value}\n`
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
