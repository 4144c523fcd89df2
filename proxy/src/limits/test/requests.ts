import type { LimitRequest } from '../../core/limits.ts'
import type { LimitRates } from '../../core/policy.ts'
import { Refusal } from '../../core/refusal.ts'

export interface Ask {
  readonly subject?: string
  readonly tenant?: string
  readonly model?: string
  readonly tokens?: number
  readonly caller?: LimitRates
  readonly perTenant?: LimitRates
  readonly perModel?: LimitRates
}

export const ask = (it: Ask = {}): LimitRequest => ({
  caller: { subject: it.subject ?? 'ada', tenant: it.tenant ?? 'acme', roles: [], scopes: [], via: 'test' },
  model: it.model ?? 'small',
  rates: { caller: it.caller ?? {}, tenant: it.perTenant ?? {}, model: it.perModel ?? {} },
  tokens: it.tokens ?? 0,
})

/** The refusal that a promise ends with. */
export const refusalOf = async (work: Promise<unknown>): Promise<Refusal> => {
  try {
    await work
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('expected a refusal')
}
