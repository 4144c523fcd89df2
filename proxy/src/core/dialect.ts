import type { Json, JsonObject } from './json.ts'
import type { Params } from './policy.ts'
import type { Refusal } from './refusal.ts'
import type { Channel, Edit, Role, Text } from './text.ts'

/** Why an answer ended, before a dialect names it. `content_filter` and `length` are also how the guard cuts. */
export type Cut = 'content_filter' | 'length'

export interface Usage {
  readonly input: number
  readonly output: number
}

export interface DialectOptions {
  /** Content parts other than text (images, audio, files) pass uninspected when true; refused by default. */
  readonly allowNonText: boolean
  /** Names of model-server extras (vLLM, TGI) that may pass. */
  readonly extras: ReadonlySet<string>
  /** The model for requests of the simple routes that name none; without it those are refused. */
  readonly defaultModel?: string
}

/** What a request body says, in the words all dialects share. */
export interface Prompt {
  readonly model: string
  readonly stream: boolean
  /** The upstream's request body: parsed, checked key by key, in the upstream's dialect. */
  readonly body: JsonObject
  /** Path of the model API to call. */
  readonly upstreamPath: string
  /** Every string of `body` that is not from a closed set of values. */
  readonly texts: readonly Text[]
  readonly params: Params
  /** Answers that were asked for: for each of several prompts `n`. One when absent. */
  readonly choices?: number
  readonly tools: readonly string[]
  readonly extras: readonly string[]
  /** Content parts that pass uninspected; counted and marked. */
  readonly uninspected: number
}

/** What policy changed in a request. */
export interface Changes {
  readonly edits: readonly Edit[]
  readonly model: string
  readonly maxTokens?: number
  readonly removeTools: readonly string[]
}

export interface ToolCall {
  readonly choice: number
  readonly id: string
  readonly name: string
  /** Top-level argument names, sorted; empty when the arguments are not a JSON object. */
  readonly arguments: readonly string[]
}

export interface ReplyText extends Text {
  readonly choice: number
}

/** A whole answer of the model server, read strictly. */
export interface WholeReply {
  readonly body: JsonObject
  readonly id: string
  readonly model: string
  readonly choices: readonly number[]
  readonly texts: readonly ReplyText[]
  readonly toolCalls: readonly ToolCall[]
  /** Of the content of every choice, as far as they spell it; empty when the model server gave none. */
  readonly logprobs: readonly TokenLogprob[]
  readonly finishReasons: readonly string[]
  readonly usage: Usage | undefined
}

/** What policy changed in a whole answer. A cut choice keeps no text and no tool call. */
export interface ReplyChanges {
  readonly edits: readonly Edit[]
  readonly cuts: ReadonlyMap<number, Cut>
  /** The model name that the client asked for. */
  readonly model: string
}

/** One run of text in a stream that belongs together: scanned as one text. */
export interface Lane {
  /** Unique in the stream, such as `0/content` or `0/tool/1`. */
  readonly key: string
  readonly choice: number
  readonly part: 'content' | 'reasoning' | 'refusal' | 'tool'
  readonly index: number
}

/** Probability of one token, with the alternatives that the model considered. */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  readonly top: readonly { readonly token: string; readonly logprob: number }[]
}

/** What a stream event means, in the words all dialects share. */
export type Delta =
  | { readonly kind: 'head'; readonly id: string; readonly model: string; readonly fields: JsonObject }
  | {
      readonly kind: 'open'
      readonly lane: Lane
      readonly tool?: { readonly id: string; readonly name: string }
    }
  | {
      readonly kind: 'text'
      readonly lane: Lane
      readonly text: string
      readonly logprobs?: readonly TokenLogprob[]
    }
  /** A piece of the JSON text of a tool call's arguments. */
  | { readonly kind: 'arguments'; readonly lane: Lane; readonly text: string }
  | { readonly kind: 'close'; readonly lane: Lane }
  | {
      readonly kind: 'finish'
      readonly choice: number
      readonly reason: string
      readonly stopSequence?: string
    }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'ping' }
  /** The model's own end of the stream. A stream that ends without it was cut off. */
  | { readonly kind: 'done' }
  /** Made by the guard only: this choice ends here. */
  | { readonly kind: 'cut'; readonly choice: number; readonly reason: Cut }

export interface ServerEvent {
  /** Field `event`; empty when absent. */
  readonly event: string
  readonly data: string
}

/** Both ends of one stream; holds its state. */
export interface StreamCodec {
  /** Throws Refusal `model_answer_invalid` for what it does not know, and `model_unavailable` for an error event of the model server. */
  decode(event: ServerEvent): readonly Delta[]
  /** The bytes for the client as text: one or more server-sent events, or nothing. */
  encode(delta: Delta): string
  /** How a stream that has begun says that it failed. Nothing may follow. */
  fail(refusal: Refusal, id: string): string
}

/** What becomes of one part of what is exchanged: a row of the coverage table. */
export interface CoverageRow {
  /** `response` is a whole answer, `stream` the data of its events, `error` the body of an error answer of the model server. */
  readonly direction: 'request' | 'response' | 'stream' | 'error'
  /**
   * Where, as `pointer` writes paths. `*` is any index or key; `[type=a|b]` tells objects apart by a key, which may be `absent`;
   * a last `**` is everything below that no other row names; ` as ...` is a form of the value that has a row of its own.
   * What is dropped or refused is so with everything below it.
   */
  readonly part: string
  /**
   * `scanned`: each string is a Text. `closed`: one of a fixed set of words, or an identifier of a narrow alphabet.
   * `number`: numbers, true, false. `passed`: goes on uninspected. `dropped`: left out. `refused`: refuses the whole.
   */
  readonly treatment: 'scanned' | 'closed' | 'number' | 'passed' | 'dropped' | 'refused'
  /** Of the Text, where the treatment is `scanned`. */
  readonly role?: Role
  readonly channel?: Channel
  /** What the operator must allow; refused otherwise. An extra is allowed by its name, the first step of the part. */
  readonly permit?: 'nonText' | 'extra'
  readonly note?: string
}

/** What one wire API looks like: its texts with role and path, its stream, its error and its cut-off shape. */
export interface Dialect {
  readonly name: string
  /** `gen_ai.operation.name`. */
  readonly operation: 'chat' | 'text_completion' | 'embeddings'
  /** Throws Refusal `body_invalid` naming the JSON pointer of what is wrong. Unknown keys are wrong. */
  read(body: JsonObject, options: DialectOptions): Prompt
  /** The body to send, with the changes made. The result reads back as the same prompt with those changes. */
  write(prompt: Prompt, changes: Changes): JsonObject
  /** Throws Refusal `model_answer_invalid`. Unknown keys are dropped unless they may hold text, which is an error. */
  readReply(body: JsonObject): WholeReply
  /** The client's body. Token probabilities of an edited or cut choice are left out. */
  writeReply(reply: WholeReply, changes: ReplyChanges): JsonObject
  /** Undefined where the API has no streams. */
  readonly openStream: ((prompt: Prompt, model: string) => StreamCodec) | undefined
  /** The message of an error answer of the model server, to be inspected before it is shown; undefined when it is not in the documented shape. */
  readError(body: JsonObject): string | undefined
  /** Of every string that this API can carry exactly one row tells what becomes of it. */
  readonly coverage: readonly CoverageRow[]
}

/** How an API family writes a refusal: the JSON body for the client. */
export type ErrorShape = (refusal: Refusal, id: string) => Json
