import { randomBytes } from 'node:crypto'
import { Refusal } from '../core/refusal.ts'
import { outOfBounds } from './caller-fields.ts'
import { loginThrottle } from './login-throttle.ts'
import type { ThrottleOptions } from './login-throttle.ts'
import { isPasswordOf, readPasswordHash } from './password.ts'
import type { PasswordHash } from './password.ts'

/** Somebody who may log in: a user with a password, or a client with a secret. */
export interface Account {
  /** Username or client id; becomes the subject. */
  readonly name: string
  /** `scrypt$N$r$p$salt$hash`, as `hashPassword` gives it. */
  readonly password: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes?: readonly string[]
}

export interface AccountsOptions extends ThrottleOptions {
  /** Passwords hashed at once, each on one core; 1 when absent. */
  readonly maxHashing?: number
  /** Logins waiting for that; more are refused as `rate_limited`. 16 when absent. */
  readonly maxWaiting?: number
}

export interface Accounts {
  /** The account, or undefined for a wrong name or password, after the same work. Throws Refusal `rate_limited`. */
  login(name: string, password: string): Promise<Account | undefined>
}

/** Throws an Error that names the first bad account. */
export const accounts = (entries: readonly Account[], options: AccountsOptions): Accounts => {
  const known = new Map(entries.map((account) => [account.name, { account, hash: passwordOf(account) }]))
  if (known.size < entries.length) throw new Error('local issuer: two accounts have the same name')
  const decoy = decoyFor([...known.values()].map(({ hash }) => hash))
  const throttle = loginThrottle(options)
  const turn = turns(options.maxHashing ?? 1, options.maxWaiting ?? 16)
  return {
    login: async (name, password) => {
      throttle.attempt(name)
      const found = known.get(name)
      const right = await turn(() => isPasswordOf(password, found?.hash ?? decoy))
      if (!right || found === undefined) return undefined
      throttle.succeeded(name)
      return found.account
    },
  }
}

/** Throws an Error when a token for the account could not be accepted. */
export const checkAccount = ({ name, tenant, roles, scopes = [] }: Omit<Account, 'password'>): void => {
  const wrong = outOfBounds({ subject: name, tenant, roles, scopes, via: 'local' })
  if (wrong !== undefined)
    throw new Error(`local issuer: an account's ${wrong} is empty, too long or has control characters`)
  if (scopes.some((scope) => scope.includes(' ')))
    throw new Error(`local issuer: a scope of ${name} has a blank`)
}

const passwordOf = (account: Account): PasswordHash => {
  checkAccount(account)
  const { name, password } = account
  const hash = readPasswordHash(password)
  if (hash === undefined)
    throw new Error(
      `local issuer: the password of ${name} must be a scrypt$N$r$p$salt$hash with N from 2^14 to 2^16`,
    )
  return hash
}

/** A name nobody has costs as much as the costliest one. No password gives its random hash. */
const decoyFor = (hashes: readonly PasswordHash[]): PasswordHash => {
  const cost = ({ N, r, p }: PasswordHash) => N * r * p
  const [costliest] = hashes.toSorted((a, b) => cost(b) - cost(a))
  const { N, r, p } = costliest ?? { N: 2 ** 15, r: 8, p: 3 }
  return { N, r, p, salt: randomBytes(16), hash: randomBytes(32) }
}

/** Runs work a few at a time. Throws Refusal `rate_limited` when too many wait. */
const turns = (atOnce: number, maxWaiting: number) => {
  const waiting: (() => void)[] = []
  let running = 0
  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting)
        throw new Refusal('rate_limited', {
          details: ['too many logins at once'],
          headers: { 'retry-after': '1' },
        })
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
