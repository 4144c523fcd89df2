import { type Charset, charset, has } from './charset.ts'
import type { Pattern } from './pattern.ts'
import { BLANKS } from './reading.ts'

/**
 * Characters that every text of a pattern holds at a fixed place: `sets` come after `head`, which is what stands before
 * them. Where they are seen, a candidate opens `head.length` characters before them.
 */
export interface Trigger {
  readonly head: readonly Charset[]
  readonly sets: readonly Charset[]
}

const MOST_TRIGGERS = 300
const MOST_CHARACTERS = 64
/** How selective a trigger should be, in bits; when that takes too many triggers, less has to do. */
const FOLDED_WISHES = [48, 32, 26, 20, 16, 12, 9, 6, 3, 0]
const WISHES = [20, 16, 12, 9, 6, 3, 0]
/** A trigger this selective is good enough to stop at a character that could be nearly anything. */
const ENOUGH = 10
/** A trigger that is more selective than this only costs states. */
const AMPLE = 26
const FOLDED_AMPLE = 60

/** The triggers of a pattern: one of them is in every text that it matches. */
export const triggersOf = (pattern: Pattern, folded: boolean): readonly Trigger[] => {
  for (const wish of folded ? FOLDED_WISHES : WISHES) {
    const heads = extend([EMPTY], pattern, { wish, folded })
    if (heads.length <= MOST_TRIGGERS) return distinct(heads.map((head) => best(setsOf(head), folded)))
  }
  throw new RangeError('the pattern begins in too many ways')
}

const distinct = (triggers: readonly Trigger[]): readonly Trigger[] => [
  ...new Map(triggers.map((trigger) => [JSON.stringify(trigger), trigger])).values(),
]

/** What is known about sets that patterns use again and again. */
const bitsOf = new WeakMap<Charset, number>()

/** How many bits it tells that a character is in a set. */
const bits = (set: Charset): number => {
  let known = bitsOf.get(set)
  if (known === undefined) bitsOf.set(set, (known = -Math.log2(Math.max(frequency(set), 1e-4))))
  return known
}

/** How often a character of a set comes in a text, roughly as in English chat. */
const frequency = (set: Charset): number => {
  let sum = 0
  for (const [from, to] of set) {
    for (let code = from; code <= Math.min(to, 127); code++) sum += frequencyOf(code)
    if (to > 127) sum += (Math.min(to, 0xfffe) - Math.max(from, 128) + 1) / 100_000
  }
  return Math.min(1, sum)
}

const frequencyOf = (code: number): number => {
  if (code >= 97 && code <= 122) return 0.03
  if (code === 32) return 0.17
  if (code === 10 || code === 44 || code === 46) return 0.01
  return code >= 48 && code <= 57 ? 0.001 : 0.003
}

/** A set that could be nearly anything says little and combines with everything. */
const isVague = (set: Charset): boolean => bits(set) < 2

/** The most selective run of characters in a beginning, the first of equals. */
const best = (sets: readonly Charset[], folded: boolean): Trigger => {
  let from = 0
  let to = Math.min(1, sets.length)
  let most = -1
  for (let start = 0; start < sets.length; start++) {
    if (isVague(sets[start] as Charset) || (folded && start > 0 && has(sets[start] as Charset, BLANK)))
      continue
    let end = start
    let worth = 0
    while (end < sets.length && worth < (folded ? FOLDED_AMPLE : AMPLE) && !isVague(sets[end] as Charset))
      worth += bits(sets[end++] as Charset)
    if (worth <= most + (most >= ENOUGH ? 6 : 0)) continue
    from = start
    to = end
    most = worth
  }
  return { head: sets.slice(0, from), sets: sets.slice(from, to).map(coarse) }
}

/** Any digit for any set of digits: numbers of all kinds then share their triggers, and the automaton tells them apart. */
const coarse = (set: Charset): Charset => (set.every(([from, to]) => from >= 48 && to <= 57) ? DIGIT : set)

const DIGIT = charset([[48, 57]])
const BLANK = 32

/** The first characters of a text of a pattern, last first; `open` when what follows may still be added. */
interface Head {
  readonly before: Head | undefined
  readonly set: Charset
  readonly length: number
  readonly open: boolean
  /** Bits of its most selective run of characters, and of the run that it ends with. */
  readonly most: number
  readonly current: number
}

const EMPTY: Head = { before: undefined, set: [], length: 0, open: true, most: 0, current: 0 }

const setsOf = (head: Head): readonly Charset[] => {
  const sets: Charset[] = []
  for (let at: Head | undefined = head; at !== undefined && at.length > 0; at = at.before) sets.push(at.set)
  return sets.toReversed()
}

interface HeadOptions {
  readonly wish: number
  readonly folded: boolean
}

const extend = (heads: readonly Head[], pattern: Pattern, options: HeadOptions): readonly Head[] => {
  if (pattern === BLANKS || heads.length > MOST_TRIGGERS || !heads.some((head) => head.open)) return heads
  switch (pattern.kind) {
    case 'set':
      return heads.map((head) => (head.open ? append(head, pattern.set, options) : head))
    case 'sequence':
      return pattern.items.reduce((sofar, item) => extend(sofar, item, options), heads)
    case 'choice': {
      const closed = heads.filter((head) => !head.open)
      const open = heads.filter((head) => head.open)
      return [...closed, ...pattern.options.flatMap((option) => extend(open, option, options))]
    }
    case 'repeat': {
      const closed: Head[] = heads.filter((head) => !head.open)
      let open = heads.filter((head) => head.open)
      for (let copy = 0; open.length > 0 && copy < pattern.max; copy++) {
        if (copy >= pattern.min) closed.push(...open)
        const longer = extend(open, pattern.item, options)
        closed.push(...longer.filter((head) => !head.open))
        open = longer.filter((head) => head.open)
        if (open.length + closed.length > MOST_TRIGGERS) break
      }
      return [...closed, ...open]
    }
  }
}

const append = (head: Head, set: Charset, { wish, folded }: HeadOptions): Head => {
  // Runs of blanks count as one, so how many characters a beginning took is only known when blanks stand alone.
  const blank = folded && has(set, BLANK)
  const unclear = blank && (set.length > 1 || set[0]?.[0] !== set[0]?.[1] || has(head.set, BLANK))
  const vague = isVague(set)
  const full =
    head.most >= wish || (head.most >= ENOUGH && vague) || head.length >= MOST_CHARACTERS || unclear
  if (full && head.length > 0) return { ...head, open: false }
  const begins = head.current === 0 && blank && head.length > 0
  const current = vague || begins ? 0 : Math.min(folded ? FOLDED_AMPLE : AMPLE, head.current + bits(set))
  return {
    before: head,
    set,
    length: head.length + 1,
    open: true,
    most: Math.max(head.most, current),
    current,
  }
}
