import type { Caller } from './caller.ts'
import type { Category } from './finding.ts'
import type { Channel, Role } from './text.ts'

/**
 * `request`: before the model is called. `response`: an answer, whole or so far. `tool_call`: the model wants a tool.
 * `model`: may this caller see this model in a list?
 */
export type Stage = 'request' | 'response' | 'tool_call' | 'model'

/** What is done about a finding. */
export type Action = 'ignore' | 'observe' | 'redact' | 'block'

/** Facts, never text: small, so that deciding is fast and equal facts have equal answers. */
export interface PolicyInput {
  readonly stage: Stage
  readonly caller: Caller
  readonly request: RequestFacts
  /** One entry per rule, role and channel; sorted, without offsets. */
  readonly findings: readonly FindingFacts[]
  /** Only in stage `tool_call`. */
  readonly tool?: { readonly name: string; readonly arguments: readonly string[] }
}

export interface RequestFacts {
  /** Name in the route table, such as `openai.chat`. */
  readonly route: string
  readonly model: string
  readonly stream: boolean
  /** Names of the tools that the request offers to the model. */
  readonly tools: readonly string[]
  readonly params: Params
  /** Names of the allow-listed model-server extras that the request uses. */
  readonly extras: readonly string[]
}

/** Only what the request sets; counts for the open-ended ones. */
export interface Params {
  readonly n?: number
  readonly max_tokens?: number
  readonly top_logprobs?: number
  readonly stop?: number
  readonly logit_bias?: number
}

export interface FindingFacts {
  readonly rule: string
  readonly category: Category
  readonly role: Role
  readonly channel: Channel
  /** The highest score, rounded down to two decimals. */
  readonly score: number
  readonly count: number
}

/** An allow tells what to do about findings; a deny tells why. */
export type PolicyAnswer =
  | {
      readonly allow: true
      readonly actions: Actions
      readonly obligations: Obligations
      readonly reasons: readonly string[]
    }
  | { readonly allow: false; readonly reasons: readonly string[] }

/** The most specific entry counts: rule, then category, then `default`. Known before any finding, so that streams can be held for it. */
export interface Actions {
  readonly rules: Readonly<Record<string, Action>>
  readonly categories: Readonly<Partial<Record<Category, Action>>>
  readonly default: Action
  /** By rule: the score at which policy acts on it, 0 to 1. Only for the record; nothing is decided by it. */
  readonly thresholds?: Readonly<Record<string, number>>
  /** Hosts that an answer may lead to, as names, `*.name` for what is below one, or `*`: what leads there is no finding. */
  readonly hosts?: readonly string[]
  /** The same for arguments of tool calls. */
  readonly tool_hosts?: readonly string[]
}

export interface Obligations {
  /** The upper bound put on the answer's tokens. */
  readonly max_tokens?: number
  /** The model that answers instead of the one asked for. */
  readonly model?: string
  /** Tools taken out of the request. */
  readonly remove_tools?: readonly string[]
}

export interface LimitsInput {
  readonly caller: Caller
  readonly model: string
}

/** Undefined is unlimited. */
export interface LimitRates {
  readonly requests_per_second?: number
  /** Requests that may come at once before the rate counts; `requests_per_second` when absent. */
  readonly burst?: number
  readonly concurrency?: number
  readonly tokens_per_minute?: number
}

export interface LimitsAnswer {
  readonly caller: LimitRates
  readonly tenant: LimitRates
  readonly model: LimitRates
}

export interface PolicyEngine {
  readonly name: string
  /** Revision of the policy that answers now; goes into every audit record. */
  revision(): string
  /** Undefined when it can answer, else why not, for `/readyz`. */
  unready(): string | undefined
  /** Throws Refusal `guard_failed` or `guard_unavailable` when there is no well-formed answer. Never a guess. */
  decide(input: PolicyInput): Promise<PolicyAnswer>
  limits(input: LimitsInput): Promise<LimitsAnswer>
  close(): Promise<void>
}

/** The entry of `Actions` that an action came from. */
export type ActionRow = 'rule' | 'category' | 'default'

export const rowFor = (actions: Actions, rule: string, category: Category): ActionRow =>
  actions.rules[rule] !== undefined
    ? 'rule'
    : actions.categories[category] !== undefined
      ? 'category'
      : 'default'

export const actionFor = (actions: Actions, rule: string, category: Category): Action =>
  actions.rules[rule] ?? actions.categories[category] ?? actions.default
