import type { CoverageRow } from '../core/dialect.ts'

export type Row = Omit<CoverageRow, 'direction'>

/** The rows of what may stand at a place. */
export type Rows = (place: string) => readonly Row[]

/** One row, for the place alone. */
export const row =
  (treatment: Row['treatment'], more: Omit<Row, 'part' | 'treatment'> = {}): Rows =>
  (part) => [{ part, treatment, ...more }]

/** One row for the place and one for what may be below it. */
export const everything =
  (treatment: Row['treatment'], more: Omit<Row, 'part' | 'treatment'> = {}): Rows =>
  (place) => [...row(treatment, more)(place), ...row(treatment, more)(`${place}/**`)]
