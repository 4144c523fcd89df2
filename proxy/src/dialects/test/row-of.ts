import type { CoverageRow } from '../../core/dialect.ts'
import { nestedJson } from '../../core/edit.ts'
import type { Json } from '../../core/json.ts'
import { isObject } from '../../core/json.ts'
import type { Path } from '../../core/text.ts'
import { IN_JSON, KEY_OF } from '../../core/text.ts'

/** The rows that speak of the string at `path`: exactly one, where the table is right. Numbers have rows of their own. */
export const rowsOf = (rows: readonly CoverageRow[], body: Json, path: Path): readonly CoverageRow[] => {
  const ranked = rows
    .filter(({ treatment }) => treatment !== 'number')
    .map((row) => ({ row, rank: rankOf(row, body, path) }))
  const best = Math.max(...ranked.map(({ rank }) => rank))
  return best < 0 ? [] : ranked.filter(({ rank }) => rank === best).map(({ row }) => row)
}

const EXACT = 1000

/** Higher for a part that says more; below 0 for one that does not match. */
const rankOf = ({ part, treatment }: CoverageRow, body: Json, path: Path): number => {
  if (part === '**') return 0
  const { steps, form } = parsed(part)
  const end = walk(steps, { value: body, path })
  if (end === undefined) return -1
  const isExact = end.path.length === 0 && steps.at(-1) !== '/**'
  if (form !== undefined) {
    const isDataUrl = typeof end.value === 'string' && end.value.startsWith('data:')
    return isExact && form === 'data URL' && isDataUrl ? EXACT + 1 : -1
  }
  if (isExact) return EXACT
  const reachesBelow = steps.at(-1) === '/**' || treatment === 'dropped' || treatment === 'refused'
  return reachesBelow ? steps.length : -1
}

interface Part {
  readonly steps: readonly string[]
  readonly form: string | undefined
}

const known = new Map<string, Part>()

const parsed = (part: string): Part => {
  const found = known.get(part)
  if (found) return found
  const [place = '', form] = part.split(' as ')
  const steps = place.match(/\/[^/[#]+|\[[^\]]*\]|#/g) ?? []
  if (steps.join('') !== place) throw new Error(`not a part: ${part}`)
  known.set(part, { steps, form })
  return { steps, form }
}

interface Rest {
  readonly value: Json | undefined
  readonly path: Path
}

const walk = (steps: readonly string[], from: Rest): Rest | undefined => {
  let { value, path } = from
  for (const step of steps) {
    const [first] = path
    if (step.startsWith('[')) {
      const [key = '', tags = ''] = step.slice(1, -1).split('=')
      const tag = isObject(value) ? (value[key] ?? 'absent') : undefined
      if (typeof tag !== 'string' || !tags.split('|').includes(tag)) return undefined
      continue
    }
    if (step === '/**') return first === undefined || first === KEY_OF ? undefined : { value, path }
    if (first === undefined || !isStep(step, first)) return undefined
    path = path.slice(1)
    if (first === IN_JSON) value = typeof value === 'string' ? nestedJson(value) : undefined
    else if (first !== KEY_OF) value = (value as Record<string | number, Json> | undefined)?.[first]
  }
  return { value, path }
}

const isStep = (step: string, first: Path[number]): boolean => {
  if (step === '#') return first === IN_JSON
  if (step === '/~key') return first === KEY_OF
  if (typeof first === 'symbol') return false
  return step === '/*' || step.slice(1) === String(first)
}
