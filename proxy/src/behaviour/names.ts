export const OTHER = 'other'

/** Turns a name that may come from a caller into one of a declared set, or `other`: what becomes a label passes through here. */
export type Declared = (name: string) => string

export const declared = (names: readonly string[]): Declared => {
  const known = new Set(names)
  return (name) => (known.has(name) ? name : OTHER)
}

const LONGEST_NAME = 64

/** A name as a tool or an argument may have one: letters, digits, `_`, `-`, `.`; 1 to 64 of them. Others are text, which is not kept. */
export const isName = (name: string): boolean => {
  if (name.length === 0 || name.length > LONGEST_NAME) return false
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at)
    const letter = (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a)
    const other = (unit >= 0x30 && unit <= 0x39) || unit === 0x5f || unit === 0x2d || unit === 0x2e
    if (!letter && !other) return false
  }
  return true
}

/** The network of an address: the address itself, or the /64 of IPv6, of which one host may have all. At most 64 characters. */
export const networkOf = (address: string): string => {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  if (!plain.includes(':')) return plain.slice(0, LONGEST_NAME)
  const [head = '', tail] = plain.slice(0, LONGEST_NAME).split('%')[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...new Array<string>(zeros).fill('0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}
