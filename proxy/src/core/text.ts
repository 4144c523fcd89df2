/** A step into a string that itself holds JSON, such as the arguments of a tool call. */
export const IN_JSON: unique symbol = Symbol('in-json')

/** A step to the key of an object instead of its value: keys are text too. */
export const KEY_OF: unique symbol = Symbol('key-of')

/** From the root of a JSON body to one string: object keys, array indexes, and the two special steps above. */
export type Path = readonly (string | number | typeof IN_JSON | typeof KEY_OF)[]

/** Who speaks. `definition` is text that configures the model: tool definitions, schemas, stop sequences. */
export type Role = 'system' | 'user' | 'assistant' | 'tool' | 'definition'

/** The channel through which a text reaches the reader; detectors calibrate per channel. */
export type Channel =
  | 'message'
  | 'reasoning'
  | 'refusal'
  | 'tool_definition'
  | 'tool_arguments'
  | 'tool_result'
  | 'document'
  | 'parameter'

/** One string, or long number, of an exchange that somebody could have written freely. */
export interface Text {
  readonly path: Path
  readonly role: Role
  readonly channel: Channel
  readonly value: string
}

/** A replacement for the string at `path`. */
export interface Edit {
  readonly path: Path
  readonly value: string
}

/** `/messages/0/content`, as in RFC 6901; steps into JSON strings show as `#`, keys as `~key`. */
export const pointer = (path: Path): string => {
  let text = ''
  for (const step of path) {
    if (step === IN_JSON) text += '#'
    else if (step === KEY_OF) text += '/~key'
    else if (typeof step === 'number') text += `/${step}`
    else text += `/${/[~/]/.test(step) ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step}`
  }
  return text
}
