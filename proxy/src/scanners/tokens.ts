import { crc32 } from 'node:zlib'
import { entropy } from './variety.ts'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * GitHub's and npm's tokens: the last six characters are the CRC-32 of the secret between prefix and checksum, in
 * base 62, padded with zeros (GitHub, "Behind GitHub's new authentication token formats", 2021).
 */
export const hasBase62Crc = (found: string): boolean => {
  const secret = found.slice(found.indexOf('_') + 1, -6)
  let number = crc32(secret)
  let check = ''
  for (let i = 0; i < 6; i++) {
    check = (BASE62[number % 62] ?? '') + check
    number = Math.floor(number / 62)
  }
  return found.endsWith(check)
}

/** Grafana service account tokens: CRC-32 of all before the last underscore, hex. */
export const hasHexCrc = (found: string): boolean => {
  const cut = found.lastIndexOf('_')
  return crc32(found.slice(0, cut)).toString(16).padStart(8, '0') === found.slice(cut + 1)
}

const HEADER_MAX = 2048

/** A compact JWS or JWE: its header is a JSON object that names an algorithm. */
export const isJwt = (found: string): boolean => {
  const header = found.slice(0, found.indexOf('.'))
  if (header.length > HEADER_MAX) return false
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && 'alg' in value && typeof value.alg === 'string'
  } catch {
    return false
  }
}

/** HTTP Basic: base64 of printable text with a user, a colon and a password. */
export const isBasicCredential = (found: string): boolean =>
  /^[ -~]{0,64}:[ -~]{2,}$/.test(Buffer.from(found.slice(0, 1024), 'base64').toString('latin1')) &&
  entropy(found) > 2.5
