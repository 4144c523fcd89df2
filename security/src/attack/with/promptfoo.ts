import { join } from 'node:path'
import type { Verdict } from '../attempt.ts'
import { toolEnv, type ForeignAttempt, type Tool } from './tool.ts'

interface Report {
  readonly results?: { readonly results?: readonly Result[] }
}

interface Result {
  readonly success?: boolean
  readonly error?: string | null
  readonly metadata?: {
    readonly family?: unknown
    readonly mutator?: unknown
    readonly http?: { readonly status?: unknown; readonly headers?: Headers }
  }
  readonly testCase?: { readonly metadata?: { readonly family?: unknown; readonly mutator?: unknown } }
}

type Headers = Readonly<Record<string, string | undefined>>

export const promptfoo: Tool = {
  pin: { name: 'promptfoo', version: '0.123.1' },
  install: (folder) => `npm install --prefix ${folder} promptfoo@0.123.1   # 2 GB, Node 22.22 or newer`,
  // 100: a test failed, which is an attack that worked.
  fine: [0, 100],
  hidesFailures: false,
  program: 'node_modules/.bin/promptfoo',
  reportFile: (work) => join(work, 'report.json'),
  start: ({ folder, config, work }, endpoint) => ({
    // The Node that runs us is new enough; the one on the PATH may not be.
    program: process.execPath,
    args: [join(config, 'attack.mjs'), folder, work],
    env: {
      ...toolEnv(endpoint),
      PROMPTFOO_CONFIG_DIR: work,
      PROMPTFOO_DISABLE_TELEMETRY: '1',
      PROMPTFOO_DISABLE_UPDATE: '1',
      PROMPTFOO_DISABLE_REMOTE_GENERATION: '1',
      PROMPTFOO_DISABLE_REDTEAM_REMOTE_GENERATION: '1',
    },
  }),
  parse: (report) => ((JSON.parse(report) as Report).results?.results ?? []).map(attemptOf),
}

/** A test of ours fails when the attack worked; an error with the status of a refusal is the guard's. */
const attemptOf = (result: Result): ForeignAttempt => {
  const { metadata, testCase, success, error } = result
  const family = metadata?.family ?? testCase?.metadata?.family
  const mutator = metadata?.mutator ?? testCase?.metadata?.mutator
  const status = metadata?.http?.status
  const refused = error?.startsWith('API error:') ?? false
  const verdict: Verdict = refused
    ? status === 400 || status === 403
      ? 'blocked'
      : 'error'
    : success === true
      ? metadata?.http?.headers?.['x-postern-decision'] === 'redacted'
        ? 'redacted'
        : 'resisted'
      : 'succeeded'
  return {
    family: typeof family === 'string' ? family : 'promptfoo',
    mutator: typeof mutator === 'string' ? mutator : 'plain',
    verdict,
  }
}
