import type { FileMetaData } from 'hyparquet'
import { node, type Node } from '../scan/read.ts'

const MAX_NAMES = 10_000

/** What the integers of a column of labels stand for: a list by the integer, or the same inside of lists. */
export type LabelNames = readonly string[] | undefined

/**
 * Names of the classes that Hugging Face's `datasets` writes into the key `huggingface` of the footer, for a feature `ClassLabel` or a list
 * of them. Undefined where there are none, or what is there is no such description.
 */
export const labelNames = ({ key_value_metadata: pairs }: FileMetaData, column: string): LabelNames => {
  const json = pairs?.find(({ key }) => key === 'huggingface')?.value
  if (json === undefined) return undefined
  const feature = parsed(json).at('info').at('features').at(column)
  for (const each of [feature, feature.at('feature'), node(feature.value).list()[0] ?? feature]) {
    const names = each.at('names').list()
    if (each.at('_type').text() === 'ClassLabel' && names.length > 0 && names.length <= MAX_NAMES)
      return names.map((name, at) => name.text() ?? String(at))
  }
  return undefined
}

const parsed = (json: string): Node => {
  try {
    return node(JSON.parse(json))
  } catch {
    return node(undefined)
  }
}

/** A label as the other readers have it. `datasets` writes -1 for a record without one. */
export const labelOf = (value: unknown, names: LabelNames): unknown => {
  if (Array.isArray(value)) return value.map((each) => labelOf(each, names))
  if (typeof value !== 'bigint' && typeof value !== 'number') return value
  const place = Number(value)
  return names === undefined ? String(value) : place === -1 ? null : (names[place] ?? String(value))
}

/** A list of numbers in one piece; everything else as it is, for `rowOf` to refuse. */
export const vectorOf = (value: unknown): unknown =>
  ArrayBuffer.isView(value) && !(value instanceof DataView)
    ? Array.from(value as unknown as ArrayLike<number>)
    : value
