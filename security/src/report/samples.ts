import type { RunRecord } from './record.ts'

/** A run for tests: what they do not care about is always the same. */
export const sampleRun = (targets: RunRecord['targets'], more: Partial<RunRecord> = {}): RunRecord => ({
  version: 1,
  id: 'r',
  at: '2026-11-21T10:00:00.000Z',
  tool: 'postern',
  model: 'm',
  seed: '1',
  plan: 'p',
  targets,
  ...more,
})
