import type { CoverageRow } from '../core/dialect.ts'
import type { Row } from './rows.ts'

const OTHER_KEYS = {
  request: { treatment: 'refused', note: 'any other key' },
  response: { treatment: 'dropped', note: 'any other key; refused when it may hold text' },
  stream: {
    treatment: 'dropped',
    note: 'any other key; refused when it may hold text, as is an event of another type',
  },
  error: { treatment: 'dropped', note: 'all else' },
} as const satisfies Record<CoverageRow['direction'], Omit<Row, 'part'>>

const directions = ['request', 'response', 'stream', 'error'] as const

/** The coverage of a dialect. A direction without rows is one that its API does not have. */
export const coverageOf = (
  parts: Readonly<Record<CoverageRow['direction'], readonly Row[]>>,
): readonly CoverageRow[] =>
  directions.flatMap((direction) => {
    const rows = new Map(parts[direction].map((row) => [JSON.stringify(row), row]))
    if (rows.size === 0) return []
    return [...rows.values(), { part: '**', ...OTHER_KEYS[direction] }].map((row) => ({ direction, ...row }))
  })
