import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Value, Values } from '../environment.ts'

/** A chart's folder, and a program and a folder to render it with. */
export interface Rendering {
  readonly helm: string
  readonly chart: string
  readonly release: string
  readonly namespace: string
  /** Where values are written to. */
  readonly scratch: string
}

/** What is passed on as it is, and so has as many keys as its author likes. */
const OPAQUE = new Set(['alertmanager.config', 'grafana.grafana.ini'])

/** Paths of values that are no maps, joined by `.`; lists and empty maps are one value. */
export const leaves = (values: Values, path: readonly string[] = []): readonly (readonly string[])[] =>
  Object.entries(values).flatMap(([key, inner]) => {
    const here = [...path, key]
    return isMap(inner) && Object.keys(inner).length > 0 && !OPAQUE.has(here.join('.'))
      ? leaves(inner, here)
      : [here]
  })

/**
 * What a chart makes of values, without what differs each time: secrets that it makes up, and sums over them. An error of the chart is a text
 * as well: it has looked at the value.
 */
export const rendered = ({ helm, chart, release, namespace, scratch }: Rendering, values: Values): string => {
  const file = join(scratch, `${release}.yaml`)
  writeFileSync(file, stringify(values))
  const versions = ['--kube-version', '1.35.0', '--api-versions', 'monitoring.coreos.com/v1']
  try {
    return execFileSync(
      helm,
      ['template', release, chart, '--namespace', namespace, '--values', file, '--skip-tests', ...versions],
      { maxBuffer: 1 << 28, stdio: 'pipe' },
    )
      .toString()
      .replaceAll(/^.*(checksum\/|admin-password|caBundle|tls\.|ca\.crt).*$/gm, '')
  } catch (error) {
    return `failed: ${String((error as { stderr?: unknown }).stderr).slice(0, 400)}`
  }
}

/** Keys of which the chart takes no notice: nothing is different when the value is another, or is not there. */
export const unknownKeys = (rendering: Rendering, values: readonly Values[]): readonly string[] => {
  const seen = new Set<string>()
  return values.flatMap((one) => {
    const now = rendered(rendering, one)
    /** Whether the chart does something else when the value is another, or is not there. */
    const hasEffect = (path: readonly string[]): boolean =>
      [undefined, other(at(one, path))].some(
        (value) => rendered(rendering, replaced(one, path, value)) !== now,
      )
    return leaves(one)
      .filter((path) => !seen.has(path.join('.')))
      .filter((path) => {
        seen.add(path.join('.'))
        return !hasEffect(path)
      })
      .map((path) => path.join('.'))
  })
}

const at = (values: Values, path: readonly string[]): Value | undefined =>
  path.reduce<Value | undefined>((found, key) => (isMap(found) ? found[key] : undefined), values)

const replaced = (values: Values, path: readonly string[], value: Value | undefined): Values => {
  const [key = '', ...rest] = path
  const { [key]: before, ...others } = values
  if (rest.length > 0) return { ...others, [key]: replaced(isMap(before) ? before : {}, rest, value) }
  return value === undefined ? others : { ...others, [key]: value }
}

const other = (value: Value | undefined): Value => {
  switch (typeof value) {
    case 'boolean':
      return !value
    case 'number':
      return value + 1
    case 'string':
      return `${value}x`
    default:
      return Array.isArray(value) ? [...(value as readonly Value[]), 'x'] : { other: 'x' }
  }
}

const isMap = (value: Value | undefined): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
