import type { Delta, Lane, ServerEvent } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { Refusal } from '../core/refusal.ts'
import { mayHoldText } from './shapes.ts'
import type { StreamKeys } from './stream-keys.ts'

/** Highest index of a choice, block or tool call; bounds what a stream makes us remember. */
const MAX_INDEX = 1023

/** Texts and tool calls of one stream. */
const MAX_LANES = 4096

const invalid = (why: string): never => {
  throw new Refusal('model_answer_invalid', { details: [why] })
}

/** The object in an event's data. Throws Refusal `model_unavailable` when the model server reports an error in it. */
const eventObject = (event: ServerEvent): JsonObject => {
  const data = parse(event.data)
  if (!isObject(data)) return invalid('a stream event is not a JSON object')
  if (event.event === 'error' || (data['error'] !== undefined && data['error'] !== null)) {
    throw new Refusal('model_unavailable', { details: ['the model server reported an error in its stream'] })
  }
  return data
}

const parse = (data: string): Json => {
  try {
    return JSON.parse(data) as Json
  } catch {
    return invalid('a stream event is not JSON') // the parser's message would quote the answer
  }
}

/** Throws for a key outside of `known` that may hold text. */
const onlyKnown = (object: JsonObject, { known }: StreamKeys): JsonObject => {
  for (const key in object) {
    if (!known.has(key) && mayHoldText(object[key] as Json)) {
      const name = /^[a-z_]{1,32}$/.test(key) ? key : '?'
      invalid(`a stream event has the unknown key ${name} that may hold text`)
    }
  }
  return object
}

const index = (value: Json | undefined, otherwise = 0): number => {
  const number = value ?? otherwise
  return Number.isInteger(number) && (number as number) >= 0 && (number as number) <= MAX_INDEX
    ? (number as number)
    : invalid('a stream event has an invalid index')
}

/** A string, or undefined for null and nothing. */
const string = (value: Json | undefined): string | undefined =>
  value === undefined || value === null
    ? undefined
    : typeof value === 'string'
      ? value
      : invalid('a stream event has something else where a string should be')

/** A name, an id or a code: short, of a closed alphabet. */
const word = (value: Json | undefined): string | undefined => {
  const text = string(value)
  return text === undefined || /^[A-Za-z0-9_.:/|+=-]{0,128}$/.test(text)
    ? text
    : invalid('a stream event has text where an identifier should be')
}

/** A lower-case code such as a finish reason, as in a whole answer. */
const code = (value: Json | undefined): string | undefined => {
  const text = string(value)
  return text === undefined || /^[a-z0-9_.-]{0,64}$/.test(text)
    ? text
    : invalid('a stream event has text where a code should be')
}

/** An object as JSON text. Throws for one that is nested too deep to be written. */
const json = (value: JsonObject): string => {
  try {
    return JSON.stringify(value)
  } catch {
    return invalid('a stream event is nested too deep')
  }
}

const objectOr = (value: Json | undefined): JsonObject | undefined =>
  value === undefined || value === null
    ? undefined
    : isObject(value)
      ? value
      : invalid('a stream event has something else where an object should be')

const listOr = (value: Json | undefined): readonly Json[] =>
  value === undefined || value === null
    ? []
    : Array.isArray(value)
      ? (value as readonly Json[])
      : invalid('a stream event has something else where an array should be')

export const stream = {
  invalid,
  eventObject,
  onlyKnown,
  index,
  string,
  word,
  code,
  json,
  objectOr,
  listOr,
} as const

/** Which lanes of a stream are open. */
export interface Lanes {
  /** The lane under a key; opened, with its delta put into `deltas`, when it is new. Throws when its choice has ended. */
  readonly open: (lane: Lane, deltas: Delta[], tool?: { readonly id: string; readonly name: string }) => Lane
  /** Closes all lanes of a choice. */
  readonly close: (choice: number, deltas: Delta[]) => void
  readonly isClosed: (choice: number) => boolean
}

export const newLanes = (): Lanes => {
  const lanes = new Map<string, Lane>()
  const closed = new Set<number>()
  return {
    isClosed: (choice) => closed.has(choice),
    open: (lane, deltas, tool) => {
      if (closed.has(lane.choice)) return invalid('a stream goes on after the end of its choice')
      const known = lanes.get(lane.key)
      if (known !== undefined) return known
      if (lanes.size >= MAX_LANES) return invalid('a stream with too many texts and tool calls')
      lanes.set(lane.key, lane)
      deltas.push(tool === undefined ? { kind: 'open', lane } : { kind: 'open', lane, tool })
      return lane
    },
    close: (choice, deltas) => {
      closed.add(choice)
      for (const lane of lanes.values()) if (lane.choice === choice) deltas.push({ kind: 'close', lane })
    },
  }
}
