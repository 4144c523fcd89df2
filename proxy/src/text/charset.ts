/** A set of character codes (UTF-16 units): sorted, disjoint, inclusive ranges. Equal sets are one object. */
export type Charset = readonly (readonly [from: number, to: number])[]

const LAST = 0xffff

export const charset = (ranges: Charset): Charset => {
  const merged: [number, number][] = []
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return unique(merged)
}

const known = new Map<string | number, Charset>()

const unique = (set: Charset): Charset => {
  const [only] = set
  const key = set.length === 1 && only !== undefined ? only[0] * 0x10000 + only[1] : set.join()
  const first = known.get(key)
  if (first === undefined) known.set(key, set)
  return first ?? set
}

export const complement = (set: Charset): Charset => {
  const rest: [number, number][] = []
  let next = 0
  for (const [from, to] of set) {
    if (from > next) rest.push([next, from - 1])
    next = to + 1
  }
  if (next <= LAST) rest.push([next, LAST])
  return unique(rest)
}

export const has = (set: Charset, code: number): boolean =>
  set.some(([from, to]) => from <= code && code <= to)
