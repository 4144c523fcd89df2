/** A map of bounded size that forgets what was not used for the longest time. */
export interface Bounded<Value> {
  /** Made when it is not there, which may forget another. */
  at(key: string): Value
  peek(key: string): Value | undefined
  entries(): Iterable<readonly [string, Value]>
  readonly size: number
  /** Entries forgotten so far. */
  readonly forgotten: number
}

/** `most` is 1 or more. */
export const bounded = <Value>(most: number, make: (key: string) => Value): Bounded<Value> => {
  const values = new Map<string, Value>()
  let newest: string | undefined
  let forgotten = 0
  const added = (key: string): Value => {
    const value = make(key)
    values.set(key, value)
    if (values.size > most) {
      const [oldest] = values.keys()
      if (oldest !== undefined) values.delete(oldest)
      forgotten += 1
    }
    return value
  }
  return {
    at: (key) => {
      const known = values.get(key)
      if (known === undefined) {
        newest = key
        return added(key)
      }
      if (key !== newest) {
        values.delete(key)
        values.set(key, known)
        newest = key
      }
      return known
    },
    peek: (key) => values.get(key),
    entries: () => values.entries(),
    get size() {
      return values.size
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
