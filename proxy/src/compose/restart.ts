import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/schema.ts'

/** Sections that are read once, because listeners, logs and exporters live as long as the process. */
const FIXED = ['server', 'admin', 'routes', 'audit', 'telemetry', 'workload', 'respond'] as const

/** Names of changed sections that a reload cannot put into effect. */
export const changesThatNeedRestart = (before: Config, after: Config): readonly string[] => [
  ...FIXED.filter((section) => isChanged(before[section], after[section])),
  // Pasts in other intervals could not be compared.
  ...(isChanged(before.behaviour.callers, after.behaviour.callers) ? ['behaviour.callers'] : []),
]

const isChanged = (before: unknown, after: unknown): boolean =>
  !isDeepStrictEqual(plain(before), plain(after))

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))
