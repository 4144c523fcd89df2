import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { dotted, leaves, readValues, type Value } from '../build/values-file.ts'
import { runHelm } from './helm.ts'

export interface ChangeOptions {
  readonly chart: string
  /** Values that switch on whatever can be: a value of a part that is off changes nothing. */
  readonly base: unknown
  /** By dotted path: another value, where one cannot be guessed from the schema; or values that must be set for it to count. */
  readonly samples?: Readonly<Record<string, unknown>>
  /** By dotted path: further values under which this one counts. */
  readonly under?: Readonly<Record<string, unknown>>
}

/**
 * Changes each value of the chart in turn and renders: the values that change nothing, and those for which `samples` has to name
 * another value. Both are empty for a chart whose every value is used. About 0.1 s each.
 */
export const unusedValues = async (options: ChangeOptions): Promise<readonly string[]> => {
  const { chart, base, samples = {}, under = {} } = options
  const values = leaves(readValues(readFileSync(join(chart, 'values.yaml'), 'utf8')))
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema
  const plain = new Map<string, Promise<string>>()
  const look = async (value: Value): Promise<string | undefined> => {
    const name = dotted(value.path)
    const around = merge(base, under[name] ?? {})
    const key = JSON.stringify(around)
    const before = plain.get(key) ?? render(chart, around)
    plain.set(key, before)
    const now = at(around, value.path) ?? value.fallback
    const other = name in samples ? samples[name] : candidate(schema, value.path, now)
    if (other === undefined) return `${name}: give another value in samples`
    const after = await render(chart, merge(around, nest(value.path, other)))
    return after === (await before) ? `${name}: ${JSON.stringify(other)} changes nothing` : undefined
  }
  return (await inPairs(values, look)).filter((found) => found !== undefined)
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly definitions?: Readonly<Record<string, Schema>>
}

const render = async (chart: string, values: unknown): Promise<string> => {
  const { status, stdout, stderr } = await runHelm(
    ['template', 'postern', chart, '--namespace', 'postern'],
    values,
  )
  return status === 0 ? stdout : `failed: ${stderr}`
}

const candidates: readonly unknown[] = [
  ...[
    true,
    false,
    'changed',
    'changed.example',
    '/changed',
    '7m',
    '77Mi',
    '7',
    'https://changed.example',
    'redis://changed:6379',
  ],
  ...[
    7,
    8,
    70,
    7000,
    0.7,
    { changed: 'yes' },
    { requests: { cpu: '7m' } },
    [{ name: 'changed' }],
    [{ key: 'changed' }],
  ],
  ...[['changed'], [{ changed: 'yes' }], { nodeAffinity: {} }, { changed: { enabled: true } }],
]

const candidate = (schema: Schema, path: readonly string[], now: unknown): unknown => {
  const own = path.reduce<Schema | undefined>((section, step) => section?.properties?.[step], schema)
  const listed = (own as { enum?: readonly unknown[] } | undefined)?.enum ?? []
  const accepts = new Ajv({ strict: false }).compile({ ...own, definitions: schema.definitions })
  return [...listed, ...candidates].find(
    (other) => JSON.stringify(other) !== JSON.stringify(now) && accepts(other),
  )
}

const at = (from: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (section, step) => (section as Record<string, unknown> | null | undefined)?.[step],
    from,
  )

const nest = (path: readonly string[], value: unknown): unknown =>
  path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const merge = (under: unknown, over: unknown): unknown => {
  if (!isMap(under) || !isMap(over)) return over
  const merged: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over))
    merged[key] = key in under ? merge(under[key], value) : value
  return merged
}

const inPairs = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> => {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!)
  }
  await Promise.all([worker(), worker()])
  return results
}
