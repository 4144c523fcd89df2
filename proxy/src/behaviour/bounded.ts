/** A map of bounded size that forgets what was not used for long: of the last used, at least half of its size are there. */
export interface Bounded<Value> {
  /** Made when it is not there, which may forget others. */
  at(key: string): Value
  entries(): Iterable<readonly [string, Value]>
  readonly size: number
  /** Entries forgotten so far. */
  readonly forgotten: number
}

/**
 * `most` is 2 or more. Two generations, and the older one is forgotten whole: to take single entries out of the front of a Map
 * costs more with every one that was taken out before, which a flood of new keys would make the usual case.
 */
export const bounded = <Value>(most: number, make: (key: string) => Value): Bounded<Value> => {
  const half = Math.max(1, most >> 1)
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()
  let forgotten = 0
  const put = (key: string, value: Value): void => {
    if (young.size >= half) {
      forgotten += old.size
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  const fromOld = (key: string): Value => {
    const known = old.get(key)
    if (known === undefined) {
      const made = make(key)
      put(key, made)
      return made
    }
    old.delete(key)
    put(key, known)
    return known
  }
  return {
    at: (key) => young.get(key) ?? fromOld(key),
    entries: () => [...old, ...young],
    get size() {
      return young.size + old.size
    },
    get forgotten() {
      return forgotten
    },
  }
}

/** Adds to a set of bounded size; the oldest member goes. True when it was new. */
export const learn = (set: Set<string>, member: string, most: number): boolean => {
  if (set.has(member)) return false
  set.add(member)
  if (set.size > most) {
    const [oldest] = set
    if (oldest !== undefined) set.delete(oldest)
  }
  return true
}
