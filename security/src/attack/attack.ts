/** What an attacker wants. Each has seeds in security/attacks/, and is one row of the report. */
export const FAMILIES = [
  'direct_injection',
  'indirect_injection',
  'jailbreak',
  'system_prompt_extraction',
  'secret_leakage',
  'personal_data_leakage',
  'encoding_smuggling',
  'tool_abuse',
  'output_handling',
  'token_flood',
] as const
export type Family = (typeof FAMILIES)[number]

/** What must be seen in the answer for the attack to have worked. */
export type Goal =
  | 'marker'
  | 'consent'
  | 'system_prompt'
  | 'secret'
  | 'passphrase'
  | 'personal_data'
  | 'tool'
  | 'image'
  | 'script'
  | 'flood'

/** With a list of others there is nothing planted to look for: it counts when the request was neither stopped nor declined. */
export type Aim = Goal | 'answered'

export interface ToolCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

/** A message of the OpenAI chat API. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string | readonly { readonly type: 'text'; readonly text: string }[] | null
  readonly tool_calls?: readonly ToolCall[]
  readonly tool_call_id?: string
}

/** One request to send, and how to tell whether it worked. `goal` is absent for benign prompts. */
export interface Attack {
  /** The same seed, mutators and planted values have the same id, in every run. */
  readonly id: string
  /** `harmful_request`: what a model should decline by itself, with no trick around it; only in lists of others. */
  readonly family: Family | 'benign' | 'harmful_request'
  readonly seed: string
  readonly mutators: readonly string[]
  readonly goal?: Aim
  readonly messages: readonly Message[]
  readonly tools: boolean
}
