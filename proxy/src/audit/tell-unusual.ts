import type { Flag } from '../core/flag.ts'
import type { ExchangeLine } from './schema.ts'

/** What each flag means, in one sentence. */
const MEANS: Readonly<Record<Flag, string>> = {
  entropy_high: 'The model was less sure of its words than the threshold allows (entropy_high).',
  tool_not_offered: 'The model called a tool that the request had not offered (tool_not_offered).',
  tool_new_for_caller: 'The model called a tool that this caller had never used (tool_new_for_caller).',
  tool_new_for_role: 'The model called a tool that this role had never used (tool_new_for_role).',
  argument_new: 'A tool got an argument that this role had never used (argument_new).',
  address_new: 'A known caller came from a new address (address_new).',
  rate_caller: 'The caller asked far more often than usual (rate_caller).',
  rate_address: 'The address asked far more often than usual (rate_address).',
  rate_role: 'The role asked far more often than usual (rate_role).',
  refusals_caller: 'The caller was refused far more often than usual (refusals_caller).',
  refusals_address: 'The address was refused far more often than usual (refusals_address).',
  refusals_role: 'The role was refused far more often than usual (refusals_role).',
}

/** The tools that the model called, how sure it was, and what of the exchange was unusual. Empty when there is nothing to say. */
export const tellUnusual = (record: ExchangeLine): readonly string[] => {
  const { tools = [], tools_not_offered: invented = [], flags = [], entropy } = record
  return [
    ...(tools.length === 0
      ? []
      : [`The model called ${tools.map((name) => named(name, invented)).join(', ')}.`]),
    ...(entropy === undefined
      ? []
      : [
          `Entropy of its ${entropy.tokens} tokens: ${entropy.mean} bits on average, ${entropy.max} at most; at least, as not all alternatives are known.`,
        ]),
    ...flags.map((flag) => (isFlag(flag) ? MEANS[flag] : `Flag ${flag}, which this version does not know.`)),
  ]
}

const named = (name: string, invented: readonly string[]): string => {
  const shown = name === '*' || name === '?' ? 'a tool whose name is not shown' : name
  return invented.includes(name) ? `${shown} (not offered)` : shown
}

const isFlag = (flag: string): flag is Flag => Object.hasOwn(MEANS, flag)
