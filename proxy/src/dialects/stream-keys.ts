import type { Row } from './rows.ts'
import { row } from './rows.ts'

/** The keys that an object of a stream may have, and what becomes of each. */
export interface StreamKeys {
  readonly known: ReadonlySet<string>
  readonly rows: readonly Row[]
}

/** Keys by what becomes of their strings, separated by blanks. Those of `objects` hold objects with keys of their own. */
export type KeyTable = Partial<Readonly<Record<Row['treatment'] | 'objects', string>>>

const words = (list: string): readonly string[] => list.split(' ').filter((word) => word !== '')

export const streamKeys = (place: string, table: KeyTable): StreamKeys => {
  const lists = Object.entries(table) as readonly (readonly [keyof KeyTable, string])[]
  return {
    known: new Set(lists.flatMap(([, list]) => words(list))),
    rows: lists.flatMap(([treatment, list]) =>
      treatment === 'objects' ? [] : words(list).flatMap((key) => row(treatment)(`${place}/${key}`)),
    ),
  }
}
