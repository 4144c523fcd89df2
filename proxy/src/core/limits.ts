import type { Caller } from './caller.ts'
import type { LimitsAnswer } from './policy.ts'

export interface LimitRequest {
  readonly caller: Caller
  readonly model: string
  readonly rates: LimitsAnswer
  /** Input estimate plus the most the answer may cost. */
  readonly tokens: number
}

export interface Limiter {
  readonly name: string
  /** Takes one request, one place and `tokens` from caller, tenant and model, all or none. Throws Refusal `rate_limited` or `budget_spent`. */
  reserve(request: LimitRequest): Promise<Lease>
  unready(): string | undefined
  close(): Promise<void>
}

/** What one exchange holds of the limits. */
export interface Lease {
  /** `x-ratelimit-*` of the scope that is nearest to its limit. */
  readonly headers: Readonly<Record<string, string>>
  /** Tokens that this exchange may use in all before a budget is overrun: reserved plus what is left. Infinity when unlimited. */
  readonly ceiling: number
  /** Gives back what was reserved and not used, or takes what was used beyond it; frees the place. Safe to call again: only the first counts. Never throws. */
  settle(usedTokens: number): Promise<void>
}
