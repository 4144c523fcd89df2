/** A field of a message that has a length: a string, bytes or a message inside. */
export interface Field {
  readonly number: number
  readonly bytes: Uint8Array
}

/**
 * The fields with a length of one protocol buffers message, in order; numbers are skipped, as unknown fields must be.
 * `MAX_FIELDS` at most. Throws Error for a message that is cut short or not one.
 */
export const lengthFields = (message: Uint8Array): readonly Field[] => {
  const fields: Field[] = []
  let at = 0
  for (let count = 0; at < message.length; count++) {
    if (count >= MAX_FIELDS) throw broken()
    const tag = readVarint(message, at)
    const number = Math.floor(tag.value / 8)
    if (number < 1 || number > MAX_NUMBER) throw broken()
    const { start, end } = extent(message, tag.end, tag.value % 8)
    if (end > message.length) throw broken()
    if (tag.value % 8 === LENGTH) fields.push({ number, bytes: message.subarray(start, end) })
    at = end
  }
  return fields
}

const MAX_FIELDS = 4096
const MAX_NUMBER = 2 ** 29 - 1
const LENGTH = 2

const extent = (message: Uint8Array, at: number, wireType: number): { start: number; end: number } => {
  switch (wireType) {
    case 0:
      return { start: at, end: readVarint(message, at).end }
    case 1:
      return { start: at, end: at + 8 }
    case LENGTH: {
      const { value, end } = readVarint(message, at)
      return { start: end, end: end + value }
    }
    case 5:
      return { start: at, end: at + 4 }
    default:
      throw broken() // groups, which no message of today has
  }
}

/** Exact up to 2^53; beyond, the sum is too large for any length to be right, which is all that counts. */
const readVarint = (message: Uint8Array, start: number): { value: number; end: number } => {
  let value = 0
  for (let index = 0; index < 10; index++) {
    const byte = message[start + index]
    if (byte === undefined) throw broken()
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, end: start + index + 1 }
  }
  throw broken()
}

const broken = (): Error => new Error('the message is not well formed')
