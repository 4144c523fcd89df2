import { isObject, type Json, type JsonObject } from '../core/json.ts'
import { readJson } from '../core/strict-json.ts'

/** From the gravest on, as syslog and Falco have them. */
export const PRIORITIES = [
  'emergency',
  'alert',
  'critical',
  'error',
  'warning',
  'notice',
  'informational',
  'debug',
] as const

export type Priority = (typeof PRIORITIES)[number]

/** What falcosidekick posts to a webhook, as far as rules look at it. */
export interface FalcoEvent {
  readonly uuid: string
  readonly rule: string
  readonly priority: Priority
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly source: string
  readonly tags: readonly string[]
  readonly hostname: string
  /** Those of `output_fields` that are text of at most 256 characters. */
  readonly fields: ReadonlyMap<string, string>
}

/** Falco's own events have up to some dozens of fields. `evt.time` is in nanoseconds, beyond what a double holds. */
const LIMITS = { depth: 5, nodes: 1024, keys: 512, inexactNumbers: true }
const MAX_TAGS = 64
const MAX_TEXT = 256

/** Names come from kernels and containers; one with control characters is nobody's name. */
const PLAIN = /^[^\p{Cc}\p{Cs}]{1,256}$/u

/**
 * Reads one event (falcosidekick 2, types.FalcoPayload). Undefined for anything else: what is wrong in it is of no use to the
 * sender. Keys that are not known are not looked at; a key that came twice makes it no event.
 */
export const readFalcoEvent = (body: Uint8Array): FalcoEvent | undefined => {
  const event = parsed(body)
  if (event === undefined) return undefined
  const { uuid, rule, priority, time, output_fields: fields, tags = [], source, hostname } = event
  const rank = priorityOf(priority)
  const at = typeof time === 'string' ? timeOf(time) : undefined
  if (!isPlain(uuid) || uuid.length > 128 || !isPlain(rule) || rank === undefined || at === undefined)
    return undefined
  if (tags !== null && (!Array.isArray(tags) || tags.length > MAX_TAGS)) return undefined
  return {
    ...{ uuid, rule, priority: rank, time: at },
    source: isPlain(source) ? source : '',
    hostname: isPlain(hostname) ? hostname : '',
    tags: (tags ?? []).filter(isPlain),
    fields: new Map(
      Object.entries(isObject(fields) ? fields : {}).filter(
        (entry): entry is [string, string] => entry[0].length <= MAX_TEXT && isPlain(entry[1]),
      ),
    ),
  }
}

const parsed = (body: Uint8Array): JsonObject | undefined => {
  try {
    const event = readJson(body, LIMITS)
    return isObject(event) ? event : undefined
  } catch {
    return undefined
  }
}

const isPlain = (value: Json | undefined): value is string => typeof value === 'string' && PLAIN.test(value)

const priorityOf = (text: Json | undefined): Priority | undefined => {
  if (typeof text !== 'string' || text.length > 16) return undefined
  const name = text.toLowerCase()
  return PRIORITIES.find((one) => one === name || (one === 'informational' && name === 'info'))
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** With up to nanoseconds, which are cut to milliseconds. */
const timeOf = (text: string): number | undefined => {
  if (text.length > 40) return undefined
  const [, date, clock, fraction = '', zone] = RFC3339.exec(text) ?? []
  if (date === undefined || clock === undefined || zone === undefined) return undefined
  const at = Date.parse(`${date}T${clock}${fraction.slice(0, 4)}${zone}`)
  return Number.isNaN(at) ? undefined : at
}
