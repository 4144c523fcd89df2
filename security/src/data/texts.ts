import { defaultScanner } from '../../../proxy/src/compose/scanner.ts'
import { found, type DataFinding } from './finding.ts'
import type { Row } from './rows.ts'
import { beyond } from './vectors.ts'

const MIN_ROWS = 30

/** Single texts: what the guard's own scanner finds in them, and those of a make-up unlike all others. */
export const texts = (rows: readonly Row[]): readonly DataFinding[] => {
  const scanner = defaultScanner()
  const scanned = rows.map((row) => ({ row, findings: scanner.scan(row.text) }))
  const having = (category: string): readonly Row[] =>
    scanned
      .filter(({ findings }) => findings.some((each) => each.category === category))
      .map(({ row }) => row)
  const told = (check: DataFinding['check'], category: string, what: string): readonly DataFinding[] => {
    const rowsOf = having(category)
    return rowsOf.length === 0 ? [] : [found(check, rowsOf, `${rowsOf.length} texts ${what}`)]
  }
  return [
    ...told('instruction-in-data', 'injection', 'give instructions to a model'),
    ...told('secret-in-data', 'secret', 'hold credentials'),
    ...told('hidden-text', 'invisible_text', 'hold characters that nobody sees'),
    ...unusual(rows),
  ]
}

const unusual = (rows: readonly Row[]): readonly DataFinding[] => {
  if (rows.length < MIN_ROWS) return []
  return MEASURES.flatMap(({ name, of }) => {
    const far = new Set(beyond(rows.map(({ text }) => of(text))))
    const apart = rows.filter((_, at) => far.has(at))
    return apart.length === 0
      ? []
      : [found('text-outlier', apart, `${apart.length} texts have far more ${name} than the others`)]
  })
}

const share = (text: string, is: (code: number) => boolean): number => {
  let count = 0
  for (let i = 0; i < text.length; i++) if (is(text.charCodeAt(i))) count += 1
  return count / Math.max(1, text.length)
}

const isPlain = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 32

/** Logarithm and an offset: lengths and shares have long tails in every honest data set. */
const MEASURES: readonly { readonly name: string; readonly of: (text: string) => number }[] = [
  { name: 'characters', of: (text) => Math.log2(1 + text.length) },
  {
    name: 'signs and digits',
    of: (text) => Math.log2(0.05 + share(text, (code) => code < 128 && !isPlain(code))),
  },
]
