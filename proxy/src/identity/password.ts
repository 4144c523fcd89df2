import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** `N` is a power of two. OWASP's choice for 32 MiB of memory: about 0.25 s on one core. */
const DEFAULTS = { N: 2 ** 15, r: 8, p: 3 }
const MAX_MEMORY = 64 * 1024 * 1024
const MAX_WORK = 2 ** 15 * 8 * 4
const MAX_PASSWORD = 1024

/** One way to keep a password: `scrypt$N$r$p$salt$hash`, salt and hash in base64url. */
export interface PasswordHash {
  readonly N: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
}

/** What to store of a password. Throws RangeError when it is empty or longer than 1024 bytes of UTF-8. */
export const hashPassword = async (password: string): Promise<string> => {
  if (!isPassword(password)) throw new RangeError('a password has 1 to 1024 bytes')
  const salt = randomBytes(16)
  const hash = await derive(password, { ...DEFAULTS, salt, hash: Buffer.alloc(32) })
  const { N, r, p } = DEFAULTS
  return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

/** Undefined unless it is well-formed and its cost is between OWASP's lowest for scrypt and four times ours. */
export const readPasswordHash = (text: string): PasswordHash | undefined => {
  const found = /^scrypt\$(\d{5,6})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22,86})\$([\w-]{43,86})$/.exec(text)
  if (found === null) return undefined
  const [N = 0, r = 0, p = 0] = found.slice(1, 4).map(Number)
  const sound = N >= 2 ** 14 && Number.isInteger(Math.log2(N)) && r >= 8 && p >= 1
  if (!sound || 128 * N * r > MAX_MEMORY || N * r * p > MAX_WORK) return undefined
  return {
    N,
    r,
    p,
    salt: Buffer.from(found[4] ?? '', 'base64url'),
    hash: Buffer.from(found[5] ?? '', 'base64url'),
  }
}

/** True when the password is the one that was hashed. Takes the same time whatever the answer. */
export const isPasswordOf = async (password: string, stored: PasswordHash): Promise<boolean> => {
  const derived = await derive(isPassword(password) ? password : ' ', stored)
  return timingSafeEqual(derived, stored.hash) && isPassword(password)
}

const isPassword = (password: string): boolean => {
  const { length } = Buffer.from(password.slice(0, MAX_PASSWORD + 1))
  return length > 0 && length <= MAX_PASSWORD
}

const scryptAsync = promisify(
  (
    password: string,
    { salt, hash, N, r, p }: PasswordHash,
    done: (error: Error | null, key: Buffer) => void,
  ) => scrypt(password, salt, hash.length, { N, r, p, maxmem: 2 * MAX_MEMORY }, done),
)

// The same characters may be typed as different code points.
const derive = (password: string, stored: PasswordHash): Promise<Buffer> =>
  scryptAsync(password.normalize('NFC'), stored)
