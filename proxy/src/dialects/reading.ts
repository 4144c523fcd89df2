import type { DialectOptions, TokenLogprob, ToolCall } from '../core/dialect.ts'
import { Refusal } from '../core/refusal.ts'
import type { Channel, Path, Role, Text } from '../core/text.ts'
import { pointer } from '../core/text.ts'

/** The state of reading one body: where we are, and what was found so far. */
export interface Reading {
  readonly code: 'body_invalid' | 'model_answer_invalid'
  readonly options: DialectOptions
  readonly path: Path[number][]
  readonly add: (text: Text) => void
  readonly tools: string[]
  readonly extras: Set<string>
  readonly toolCalls: ToolCall[]
  /** Of an answer: probabilities that spell the content. */
  readonly logprobs: TokenLogprob[]
  uninspected: number
  /** Of an answer: the choice being read. */
  choice: number
}

export const newReading = (
  code: Reading['code'],
  options: DialectOptions,
  add: (text: Text) => void,
): Reading => ({
  code,
  options,
  path: [],
  add,
  tools: [],
  extras: new Set(),
  toolCalls: [],
  logprobs: [],
  uninspected: 0,
  choice: 0,
})

/** Names that are not plain words are text of the peer, which does not belong in an error. */
const shown = (step: Path[number], names: RegExp): Path[number] =>
  typeof step !== 'string' || names.test(step) ? step : '?'

/** A model server's error is shown to somebody who did not write it: only names that no secret looks like. */
const NAMES = { body_invalid: /^[\w.$-]{1,64}$/, model_answer_invalid: /^[a-z_]{1,32}$/ } as const

/** Throws the Refusal of this reading, naming the place. */
export const refuse = (reading: Reading, why: string): never => {
  const place = pointer(reading.path.slice(0, 32).map((step) => shown(step, NAMES[reading.code])))
  throw new Refusal(reading.code, { details: [`${place || '/'}: ${why}`] })
}

/** Empty strings say nothing and are left out. */
export const note = (
  reading: Reading,
  value: string,
  { role, channel }: { readonly role: Role; readonly channel: Channel },
): string => {
  if (value !== '') reading.add({ path: [...reading.path], role, channel, value })
  return value
}
