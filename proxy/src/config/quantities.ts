import { z } from 'zod'

/** A number whose unit becomes the end of its key's name: `grace: 5s` is read as `graceMs: 5000`. */
interface Quantity<Unit extends string> {
  readonly unit: Unit
  readonly value: number
}

type Suffix<Value> = NonNullable<Value> extends Quantity<infer Unit> ? Unit : ''
type Plain<Value> = Value extends Quantity<string> ? number : Value
type Units<Shape> = {
  [Key in keyof Shape as `${Key & string}${Suffix<Shape[Key]>}`]: Plain<Exclude<Shape[Key], undefined>>
}

/** A closed object. Quantities get their unit in the name; keys without a value are left out. */
export const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape).transform((value) => withUnits(value) as Units<typeof value>)

const withUnits = (value: object): Record<string, unknown> => {
  const result: Record<string, unknown> = {}
  for (const [key, held] of Object.entries(value)) {
    if (held === undefined) continue
    if (isQuantity(held)) result[`${key}${held.unit}`] = held.value
    else result[key] = held
  }
  return result
}

const isQuantity = (value: unknown): value is Quantity<string> =>
  typeof value === 'object' &&
  value !== null &&
  'unit' in value &&
  'value' in value &&
  Object.keys(value).length === 2

const DURATIONS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** A duration such as `30s`, read in milliseconds. Bounds are written the same way. */
export const milliseconds = (min: string, max: string) =>
  quantity('Ms', { units: DURATIONS, min, max, example: '30s' })

/** A duration such as `30s`, read in seconds. */
export const seconds = (min: string, max: string) =>
  quantity('S', { units: DURATIONS, min, max, example: '30s', divide: 1000 })

/** A size such as `1MiB`, read in bytes. */
export const bytes = (min: string, max: string) =>
  quantity('Bytes', { units: SIZES, min, max, example: '1MiB' })

interface Scale {
  readonly units: Readonly<Record<string, number>>
  readonly min: string
  readonly max: string
  readonly example: string
  readonly divide?: number
}

const quantity = <Unit extends string>(unit: Unit, scale: Scale) => {
  const names = Object.keys(scale.units)
  const pattern = new RegExp(`^\\d{1,9}(${names.join('|')})$`)
  const advice = `write a number and a unit (${names.join(', ')}) as text, such as "${scale.example}"`
  const size = (text: string): number => {
    const digits = parseInt(text, 10)
    return digits * (scale.units[text.slice(String(digits).length)] ?? Number.NaN)
  }
  const [least, most] = [size(scale.min), size(scale.max)]
  return z
    .string({ error: advice })
    .regex(pattern, { error: advice })
    .transform((text, context): Quantity<Unit> => {
      const value = size(text.replace(/^0+(?=\d)/, ''))
      if (value < least || value > most)
        context.issues.push({
          code: 'custom',
          input: text,
          message: `must be from ${scale.min} to ${scale.max}`,
        })
      return { unit, value: value / (scale.divide ?? 1) }
    })
}
