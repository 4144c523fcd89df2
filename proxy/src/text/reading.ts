import { type Charset, charset, has } from './charset.ts'
import { foldedOf, IGNORED } from './fold.ts'
import type { Pattern } from './pattern.ts'

/** How a text is read: see `Rule.view`. */
export type View = 'plain' | 'folded' | 'raw'

const BLANK = 32

/** The rest of a run of blanks: where the folded view shows one blank, the text may have any number of them. */
export const BLANKS: Pattern = {
  kind: 'repeat',
  item: { kind: 'set', set: charset([[BLANK, BLANK]]) },
  min: 0,
  max: Infinity,
}

/** The pattern in the characters that the view shows: in the folded one `A` is `a`, and punctuation is a blank. */
export const readAs = (pattern: Pattern, view: View): Pattern => {
  if (view !== 'folded') return pattern
  switch (pattern.kind) {
    case 'set': {
      const set = fold(pattern.set)
      const folded: Pattern = { kind: 'set', set }
      return has(set, BLANK) ? { kind: 'sequence', items: [folded, BLANKS] } : folded
    }
    case 'sequence':
      return { kind: 'sequence', items: pattern.items.map((item) => readAs(item, view)) }
    case 'choice':
      return { kind: 'choice', options: pattern.options.map((option) => readAs(option, view)) }
    case 'repeat':
      return { ...pattern, item: readAs(pattern.item, view) }
  }
}

const known = new Map<Charset, Charset>()

const fold = (set: Charset): Charset => {
  let folded = known.get(set)
  if (folded === undefined) known.set(set, (folded = charset(set.flatMap(foldRange))))
  return folded
}

const foldRange = ([from, to]: readonly [number, number]): Charset => {
  if (from > 127 && from < to) return [[from, to]]
  const codes = from > 127 ? [from] : Array.from({ length: Math.min(to, 127) - from + 1 }, (_, i) => from + i)
  const folded = codes.map(foldedOf).filter((code) => code !== IGNORED)
  return [
    ...folded.map((code) => [code, code] as const),
    ...(from <= 127 && to > 127 ? [[128, to] as const] : []),
  ]
}
