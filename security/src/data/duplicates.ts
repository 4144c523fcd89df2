import { found, wordsOf, type DataFinding } from './finding.ts'
import type { Row } from './rows.ts'

/** MinHash with banding (Broder 1997; Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4): 16 bands of 4 meet at a similarity of about 0.5. */
const BANDS = 16
const ROWS = 4
const SHINGLE = 3 // words
/** Jaccard similarity of the shingles from which two texts count as the same. */
const SAME = 0.8
const MANY = 10
const SHARE = 0.01

/** Texts that are nearly the same: with different labels they contradict each other, in great number they outvote the rest. */
export const duplicates = (rows: readonly Row[]): readonly DataFinding[] =>
  clusters(rows).flatMap((cluster) => {
    const labels = new Set(cluster.map(({ label }) => label))
    if (labels.size > 1)
      return [
        found(
          'conflicting-duplicates',
          cluster,
          `${cluster.length} nearly equal texts have ${labels.size} different labels`,
        ),
      ]
    return cluster.length >= Math.max(MANY, rows.length * SHARE)
      ? [found('repeated-text', cluster, `${cluster.length} of ${rows.length} texts are nearly the same`)]
      : []
  })

const clusters = (rows: readonly Row[]): readonly (readonly Row[])[] => {
  const shingles = rows.map(({ text }) => shinglesOf(text))
  const leader = rows.map((_, at) => at)
  const find = (at: number): number => {
    let root = at
    while (leader[root] !== root) root = leader[root] ?? root
    leader[at] = root
    return root
  }
  const buckets = new Map<string, number>()
  shingles.forEach((set, at) => {
    if (set.size === 0) return
    for (const key of bandsOf(set)) {
      const other = buckets.get(key)
      if (other === undefined) buckets.set(key, at)
      else if (jaccard(set, shingles[other] ?? EMPTY) >= SAME) leader[find(at)] = find(other)
    }
  })
  const groups = new Map<number, Row[]>()
  rows.forEach((row, at) => {
    const root = find(at)
    const group = groups.get(root)
    if (group) group.push(row)
    else groups.set(root, [row])
  })
  return [...groups.values()].filter(({ length }) => length > 1)
}

const EMPTY: ReadonlySet<number> = new Set()

const shinglesOf = (text: string): ReadonlySet<number> => {
  const words = wordsOf(text)
  const set = new Set<number>()
  for (let at = 0; at + Math.min(SHINGLE, words.length) <= words.length && at < 2000; at++)
    set.add(hash32(words.slice(at, at + SHINGLE).join(' ')))
  return words.length === 0 ? EMPTY : set
}

/** FNV-1a, 32 bits. */
const hash32 = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

const bandsOf = (set: ReadonlySet<number>): readonly string[] => {
  const signature = Array.from({ length: BANDS * ROWS }, (_, i) => {
    let least = 0xffffffff
    const odd = (Math.imul(i + 1, 0x9e3779b1) | 1) >>> 0
    for (const each of set) {
      const mixed = Math.imul(each ^ (each >>> 15), odd)
      least = Math.min(least, (mixed ^ (mixed >>> 13)) >>> 0)
    }
    return least
  })
  return Array.from(
    { length: BANDS },
    (_, band) => `${band} ${signature.slice(band * ROWS, (band + 1) * ROWS).join(' ')}`,
  )
}

const jaccard = (a: ReadonlySet<number>, b: ReadonlySet<number>): number => {
  let shared = 0
  for (const each of a) if (b.has(each)) shared += 1
  return shared / (a.size + b.size - shared)
}
