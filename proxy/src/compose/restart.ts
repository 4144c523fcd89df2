import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/schema.ts'

/** Sections that are read once, because listeners, logs and exporters live as long as the process. */
const FIXED = ['server', 'admin', 'routes', 'audit', 'telemetry', 'workload'] as const

/** Names of changed sections that a reload cannot put into effect. */
export const changesThatNeedRestart = (before: Config, after: Config): readonly string[] =>
  FIXED.filter((section) => !isDeepStrictEqual(plain(before[section]), plain(after[section])))

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))
