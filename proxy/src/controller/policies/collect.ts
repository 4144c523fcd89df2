import { createHash } from 'node:crypto'
import { isObject, type JsonObject } from '../../core/json.ts'
import { Refusal } from '../../core/refusal.ts'
import { readJson } from '../../core/strict-json.ts'
import type { Problem } from './problem.ts'

/** A labelled ConfigMap, as far as it counts. */
export interface PolicyConfigMap {
  readonly name: string
  readonly data: Readonly<Record<string, string>>
  /** Keys of `binaryData`, where no policy can be. */
  readonly binaryKeys: readonly string[]
}

export interface Sources {
  /** In the order in which they are merged: by ConfigMap, then by key. */
  readonly data: readonly DataFile[]
  readonly rego: readonly RegoFile[]
  /** Per ConfigMap: what its keys and values are. Equal digests are equal policies. */
  readonly digests: Readonly<Record<string, string>>
}

export interface DataFile {
  readonly configMap: string
  readonly key: string
  readonly text: string
  readonly value: JsonObject
}

export interface RegoFile {
  readonly configMap: string
  readonly key: string
  readonly text: string
}

const MAX_CONFIG_MAPS = 128
const MAX_FILES = 512
/** Bytes of all values together. A ConfigMap itself is at most 1 MiB. */
const MAX_BYTES = 4 * 1024 * 1024
const JSON_LIMITS = { depth: 32, nodes: 100_000, keys: 50_000 }

/**
 * Reads ConfigMaps in order of name, keys in order within: `*.json` is data, an object; `*.rego` is policy; any other key is a
 * problem. JSON is strict: what two parsers could read differently is refused.
 */
export const collect = (
  configMaps: readonly PolicyConfigMap[],
): { readonly sources: Sources; readonly problems: readonly Problem[] } => {
  const ordered = [...configMaps].sort((a, b) => compare(a.name, b.name))
  const problems = tooMuch(ordered)
  const data: DataFile[] = []
  const rego: RegoFile[] = []
  const digests: Record<string, string> = {}
  for (const configMap of ordered) {
    digests[configMap.name] = digestOf(configMap)
    if (problems.length > 0) continue
    const found = readConfigMap(configMap)
    data.push(...found.data)
    rego.push(...found.rego)
    problems.push(...found.problems)
  }
  return { sources: { data, rego, digests }, problems }
}

/** By UTF-16 code units, the same everywhere. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const tooMuch = (configMaps: readonly PolicyConfigMap[]): Problem[] => {
  const last = configMaps.at(-1)
  if (last === undefined) return []
  const say = (message: string): Problem[] => [{ code: 'too_large', configMap: last.name, message }]
  if (configMaps.length > MAX_CONFIG_MAPS)
    return say(
      `there are ${configMaps.length} policy ConfigMaps, more than ${MAX_CONFIG_MAPS}; put some together`,
    )
  const values = configMaps.flatMap(({ data }) => Object.values(data))
  if (values.length > MAX_FILES)
    return say(`the policy ConfigMaps have ${values.length} keys, more than ${MAX_FILES}; put some together`)
  const bytes = values.reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  if (bytes > MAX_BYTES)
    return say(`the policy ConfigMaps have ${bytes} bytes, more than ${MAX_BYTES}; make them smaller`)
  return []
}

const digestOf = ({ data, binaryKeys }: PolicyConfigMap): string => {
  const hash = createHash('sha256')
  for (const key of Object.keys(data).sort(compare)) {
    const value = data[key] ?? ''
    hash.update(`${key}\0${Buffer.byteLength(value)}\0${value}`)
  }
  for (const key of [...binaryKeys].sort(compare)) hash.update(`\0${key}`)
  return hash.digest('hex').slice(0, 16)
}

interface Found {
  readonly data: DataFile[]
  readonly rego: RegoFile[]
  readonly problems: Problem[]
}

const readConfigMap = ({ name: configMap, data, binaryKeys }: PolicyConfigMap): Found => {
  const found: Found = { data: [], rego: [], problems: [] }
  for (const key of binaryKeys)
    found.problems.push({
      ...{ code: 'key_unknown', configMap, key },
      message: 'is binary; policies are text in UTF-8, under data and not binaryData',
    })
  for (const key of Object.keys(data).sort(compare)) {
    const text = data[key] ?? ''
    if (key.endsWith('.rego')) {
      found.rego.push({ configMap, key, text })
    } else if (key.endsWith('.json')) {
      const read = readObject(text)
      if ('value' in read) found.data.push({ configMap, key, text, value: read.value })
      else found.problems.push({ code: 'data_invalid', configMap, key, ...read })
    } else {
      found.problems.push({
        ...{ code: 'key_unknown', configMap, key },
        message: 'is neither *.json nor *.rego; rename it or take it out',
      })
    }
  }
  return found
}

const readObject = (
  text: string,
): { readonly value: JsonObject } | { readonly message: string; readonly line?: number } => {
  try {
    const value = readJson(Buffer.from(text), JSON_LIMITS)
    return isObject(value)
      ? { value }
      : { message: 'is not a JSON object; write {"roles": {...}} or another part of data.json' }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const why = error.details[0] ?? 'not valid JSON'
    const [, byte, rest] = /^byte (\d+): (.+)$/s.exec(why) ?? []
    if (byte === undefined || rest === undefined) return { message: why }
    return { line: lineAt(text, Number(byte)), message: rest }
  }
}

const lineAt = (text: string, byte: number): number =>
  Buffer.from(text)
    .subarray(0, byte)
    .reduce((lines, code) => lines + (code === 0x0a ? 1 : 0), 1)
