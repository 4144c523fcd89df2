import type { Category } from '../core/finding.ts'
import type { Action, Actions, LimitRates, LimitsAnswer, Obligations, PolicyAnswer } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'

/**
 * Reads the answer of `postern/decision`, as policies/schemas/answer.json has it.
 * Throws Refusal `guard_failed` for anything else: no answer, unknown keys, unknown actions, wrong types.
 */
export const parseAnswer = (value: unknown): PolicyAnswer => {
  const answer = objectAt(value, 'answer')
  if (answer.allow === false) {
    onlyKeys(answer, ['allow', 'reasons'], 'answer')
    return { allow: false, reasons: reasonsAt(answer.reasons) }
  }
  if (answer.allow !== true) throw malformed('answer.allow')
  onlyKeys(answer, ['allow', 'actions', 'obligations', 'reasons'], 'answer')
  return {
    allow: true,
    actions: actionsAt(answer.actions),
    obligations: obligationsAt(answer.obligations),
    reasons: reasonsAt(answer.reasons),
  }
}

/**
 * Reads the answer of `postern/limits`, as policies/schemas/limits_answer.json has it.
 * Throws Refusal `guard_failed` for anything else.
 */
export const parseLimits = (value: unknown): LimitsAnswer => {
  const answer = objectAt(value, 'limits')
  onlyKeys(answer, ['caller', 'tenant', 'model'], 'limits')
  return {
    caller: ratesAt(answer.caller, 'limits.caller'),
    tenant: ratesAt(answer.tenant, 'limits.tenant'),
    model: ratesAt(answer.model, 'limits.model'),
  }
}

type Fields = Readonly<Record<string, unknown>>

const MAX_REASONS = 64
const MAX_NAMES = 4096
const MAX_NAME_CHARS = 256

/** Reasons go into headers, error bodies and the audit log: codes, never text. */
const REASON = /^[a-z0-9_.:-]{1,64}$/

const CATEGORIES: Readonly<Record<Category, true>> = {
  secret: true,
  personal_data: true,
  injection: true,
  invisible_text: true,
  active_content: true,
  repetition: true,
  tool_argument: true,
}

const ACTIONS: Readonly<Record<Action, true>> = { ignore: true, observe: true, redact: true, block: true }

const ACTIONS_KEYS = ['rules', 'categories', 'default', 'thresholds', 'hosts', 'tool_hosts']

const actionsAt = (value: unknown): Actions => {
  const actions = objectAt(value, 'answer.actions')
  onlyKeys(actions, ACTIONS_KEYS, 'answer.actions')
  const categories = objectAt(actions.categories, 'answer.actions.categories')
  onlyKeys(categories, Object.keys(CATEGORIES), 'answer.actions.categories')
  return {
    rules: actionsByName(objectAt(actions.rules, 'answer.actions.rules')),
    categories: actionsByName(categories),
    default: actionAt(actions.default),
    ...('thresholds' in actions ? { thresholds: thresholdsAt(actions.thresholds) } : {}),
    ...('hosts' in actions ? { hosts: hostsAt(actions.hosts) } : {}),
    ...('tool_hosts' in actions ? { tool_hosts: hostsAt(actions.tool_hosts) } : {}),
  }
}

const HOST = /^(?:\*|(?:\*\.)?[a-z0-9_:[\].-]{1,253})$/

const hostsAt = (value: unknown): readonly string[] =>
  listAt(value, MAX_NAMES, 'answer.actions.hosts').map((host) => {
    if (typeof host !== 'string' || !HOST.test(host)) throw malformed('answer.actions.hosts')
    return host
  })

const thresholdsAt = (value: unknown): Readonly<Record<string, number>> => {
  const fields = objectAt(value, 'answer.actions.thresholds')
  const names = Object.keys(fields)
  if (names.length > MAX_NAMES) throw malformed('answer.actions.thresholds')
  const thresholds = Object.create(null) as Record<string, number>
  for (const name of names) {
    const score = fields[name]
    if (typeof score !== 'number' || !(score >= 0 && score <= 1)) throw malformed('answer.actions.thresholds')
    thresholds[name] = score
  }
  return thresholds
}

/** Without a prototype, so that no name finds anything but what the policy said. */
const actionsByName = (fields: Fields): Readonly<Record<string, Action>> => {
  const names = Object.keys(fields)
  if (names.length > MAX_NAMES) throw malformed('answer.actions')
  const actions = Object.create(null) as Record<string, Action>
  for (const name of names) actions[name] = actionAt(fields[name])
  return actions
}

const actionAt = (value: unknown): Action => {
  if (typeof value !== 'string' || !Object.hasOwn(ACTIONS, value)) throw malformed('answer.actions')
  return value as Action
}

const obligationsAt = (value: unknown): Obligations => {
  const fields = objectAt(value, 'answer.obligations')
  onlyKeys(fields, ['max_tokens', 'model', 'remove_tools'], 'answer.obligations')
  return {
    ...('max_tokens' in fields ? { max_tokens: tokensAt(fields.max_tokens) } : {}),
    ...('model' in fields ? { model: nameAt(fields.model, 'answer.obligations.model') } : {}),
    ...('remove_tools' in fields ? { remove_tools: toolsAt(fields.remove_tools) } : {}),
  }
}

const tokensAt = (value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw malformed('answer.obligations.max_tokens')
  }
  return value
}

const toolsAt = (value: unknown): readonly string[] =>
  listAt(value, MAX_NAMES, 'answer.obligations.remove_tools').map((tool) =>
    nameAt(tool, 'answer.obligations.remove_tools'),
  )

const reasonsAt = (value: unknown): readonly string[] =>
  listAt(value, MAX_REASONS, 'answer.reasons').map((reason) => {
    if (typeof reason !== 'string' || !REASON.test(reason)) throw malformed('answer.reasons')
    return reason
  })

const RATES = ['requests_per_second', 'burst', 'concurrency', 'tokens_per_minute'] as const

const ratesAt = (value: unknown, at: string): LimitRates => {
  const fields = objectAt(value, at)
  onlyKeys(fields, RATES, at)
  const rates: { -readonly [Name in keyof LimitRates]: LimitRates[Name] } = {}
  for (const name of RATES) {
    if (!(name in fields)) continue
    const rate = fields[name]
    const mayBeZero = name === 'concurrency' || name === 'tokens_per_minute'
    if (typeof rate !== 'number' || !Number.isFinite(rate) || rate < 0 || (rate === 0 && !mayBeZero)) {
      throw malformed(`${at}.${name}`)
    }
    rates[name] = rate
  }
  return rates
}

const objectAt = (value: unknown, at: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(at)
  return value as Fields
}

const listAt = (value: unknown, max: number, at: string): readonly unknown[] => {
  if (!Array.isArray(value) || value.length > max) throw malformed(at)
  return value
}

const nameAt = (value: unknown, at: string): string => {
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME_CHARS) throw malformed(at)
  return value
}

const onlyKeys = (fields: Fields, known: readonly string[], at: string): void => {
  if (!Object.keys(fields).every((key) => known.includes(key))) throw malformed(at)
}

/** Says where, never what: the value may hold names that a caller chose. */
const malformed = (at: string): Refusal =>
  new Refusal('guard_failed', { cause: new Error(`policy answer malformed at ${at}`), details: ['policy'] })
