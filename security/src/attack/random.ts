/** Numbers that look random and are the same for the same seed on every machine. Not for secrets. */
export interface Random {
  /** From 0 to below `count`; `count` is 1 or more. */
  below(count: number): number
  pick<T>(from: readonly [T, ...T[]]): T
  /** A shuffled copy. */
  shuffled<T>(from: readonly T[]): readonly T[]
}

/** Mulberry32 over the FNV-1a hash of the seed. */
export const seededRandom = (seed: string): Random => {
  let state = fnv1a(seed)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    below,
    pick: <T>(from: readonly [T, ...T[]]): T => from[below(from.length)] ?? from[0],
    shuffled: <T>(from: readonly T[]): readonly T[] => {
      const keyed = from.map((item) => ({ item, key: next() }))
      return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
    },
  }
}

const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}
