import type { AuditBegin, AuditRecord } from '../core/audit.ts'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import type { FileAuditOptions } from './file.ts'

/** What the tests of this folder write. */
const caller = { subject: 'alice', tenant: 'acme', roles: ['developer'], scopes: ['chat'], via: 'api-key' }

export const beginOf = (id: string): AuditBegin => ({
  id,
  route: 'openai.chat',
  model: 'llama',
  caller,
  trace: '4bf92f3577b34da6a3ce929d0e0e4736',
})

export const recordOf = (id: string): AuditRecord => ({
  ...beginOf(id),
  time: '2026-11-21T12:00:00.000Z',
  upstream: 'gpu-a',
  client: '10.0.0.1',
  span: '00f067aa0ba902b7',
  stream: false,
  answered: 'llama-3.1-8b',
  served: null,
  versions: { guard: '0.1.0', rules: '0123456789abcdef' },
  policy: { engine: 'opa-wasm', revision: 'r1' },
  outcome: 'allowed',
  status: 200,
  reasons: [],
  decisions: [{ stage: 'request', allow: true, reasons: [], revision: 'r1', times: 1 }],
  decisionsOmitted: 0,
  findings: [
    {
      direction: 'request',
      path: '/messages/0/content',
      rule: 'email',
      category: 'personal_data',
      start: 3,
      end: 20,
      score: 1,
      evidence: [],
      action: 'observe',
      by: 'category',
    },
  ],
  tools: [],
  flags: [],
  entropy: null,
  texts: [{ direction: 'request', path: '/messages/0/content', length: 42, sha256: '0'.repeat(64) }],
  uninspected: 0,
  tokens: { input: 10, output: 20 },
  timings: { guard: 0.4 },
})

export const fileOptions = (path: string, more: Partial<FileAuditOptions> = {}): FileAuditOptions => ({
  path,
  signingKey: undefined,
  maxBytes: 1 << 26,
  maxAgeMs: Infinity,
  keepFiles: Infinity,
  checkpointLines: 50,
  checkpointMs: 10_000,
  maxQueue: 10_000,
  stallMs: 5000,
  ...more,
})

export const quiet = { meter: noMeter, log: noLog }
