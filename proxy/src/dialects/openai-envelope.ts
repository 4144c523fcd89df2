import type { Prompt, Usage } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { fullUsage } from './openai-usage.ts'

/** The last usage as the model server wrote it, details included. */
export interface UsageNotes {
  usage: Json | undefined
}

/** What both OpenAI stream formats send around their choices. */
export interface Envelope {
  readonly head: (id: string, fields: JsonObject) => void
  /** The event with one choice, given as JSON. */
  readonly choice: (json: string) => string
  readonly usage: (usage: Usage) => void
  /** The end of the stream, after the usage that the client asked for. */
  readonly done: () => string
}

export const newEnvelope = (
  prompt: Prompt,
  { model, object, notes }: { readonly model: string; readonly object: string; readonly notes: UsageNotes },
): Envelope => {
  const asked = prompt.body['stream_options']
  const wantsUsage = isObject(asked) && asked['include_usage'] === true
  let last: Usage | undefined
  let prefix = ''
  const head = (id: string, fields: JsonObject): void => {
    const created = fields['created'] ?? Math.floor(Date.now() / 1000)
    prefix = `data: ${JSON.stringify({ id, object, ...fields, created, model }).slice(0, -1)},"choices":[`
  }
  const event = (choices: string, more = ''): string => {
    if (prefix === '') head('', {})
    return `${prefix}${choices}]${more}}\n\n`
  }
  return {
    head,
    choice: (json) => event(json),
    usage: (usage) => void (last = usage),
    done: () => {
      const usage =
        wantsUsage && last !== undefined
          ? event('', `,"usage":${JSON.stringify(fullUsage(last, notes.usage))}`)
          : ''
      return `${usage}data: [DONE]\n\n`
    },
  }
}
