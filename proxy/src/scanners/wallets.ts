import { createHash } from 'node:crypto'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const BECH32M = 0x2bc830a3

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** Base58Check of a version byte, 20 bytes and four bytes of double SHA-256: addresses of Bitcoin, Litecoin, Dogecoin and Tron. Takes at most 64 characters. */
export const isBase58Address = (found: string): boolean => {
  if (found.length > 64) return false
  let number = 0n
  for (const character of found) {
    const value = BASE58.indexOf(character)
    if (value < 0) return false
    number = number * 58n + BigInt(value)
  }
  const hex = number.toString(16)
  if (hex.length > 50) return false
  const bytes = Buffer.from(hex.padStart(50, '0'), 'hex')
  return sha256(sha256(bytes.subarray(0, 21)))
    .subarray(0, 4)
    .equals(bytes.subarray(21))
}

const polymod = (values: readonly number[]): number => {
  let check = 1
  for (const value of values) {
    const top = check >>> 25
    check = ((check & 0x1ffffff) << 5) ^ value
    GENERATORS.forEach((generator, i) => {
      if ((top >>> i) & 1) check ^= generator
    })
  }
  return check
}

/** The checksum of BIP 173 or of BIP 350 over the human-readable part and the data; mixed case fails. */
export const isBech32 = (found: string): boolean => {
  const lower = found.toLowerCase()
  if (found !== lower && found !== found.toUpperCase()) return false
  const split = lower.lastIndexOf('1')
  const data = Array.from(lower.slice(split + 1), (character) => BECH32.indexOf(character))
  if (split < 1 || data.length < 6 || data.includes(-1)) return false
  const codes = Array.from(lower.slice(0, split), (character) => character.charCodeAt(0))
  const check = polymod([...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...data])
  return check === 1 || check === BECH32M
}
