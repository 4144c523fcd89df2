import type { AuditFinding, AuditRecord } from '../../core/audit.ts'
import type { Json } from '../../core/json.ts'
import type { GuardState } from '../state.ts'

let made = 0

export const record = (more: Partial<AuditRecord> = {}): AuditRecord => ({
  id: `00000000-0000-4000-8000-${String((made += 1)).padStart(12, '0')}`,
  time: new Date().toISOString(),
  route: 'openai.chat',
  model: 'demo-small',
  upstream: 'demo',
  caller: { subject: 'alice', tenant: 'acme', roles: ['user'], scopes: [], via: 'jwt:corp' },
  client: '192.0.2.7',
  trace: '4bf92f3577b34da6a3ce929d0e0e4736',
  span: '00f067aa0ba902b7',
  stream: false,
  answered: '',
  served: null,
  versions: { guard: '0.1.0', rules: '' },
  policy: { engine: 'wasm', revision: 'r1' },
  outcome: 'allowed',
  status: 200,
  reasons: [],
  decisions: [{ stage: 'request', allow: true, reasons: [], revision: 'r1', times: 1 }],
  decisionsOmitted: 0,
  findings: [],
  tools: [],
  flags: [],
  entropy: null,
  texts: [],
  uninspected: 0,
  tokens: { input: 30, output: 12 },
  timings: { guard: 0.8, scan_request: 0.2, model: 120, scan_response: 0.4, total: 122 },
  ...more,
})

export const finding = (more: Partial<AuditFinding> = {}): AuditFinding => ({
  direction: 'request',
  path: '/messages/0/content',
  rule: 'aws-access-key',
  category: 'secret',
  start: 10,
  end: 30,
  score: 1,
  evidence: ['checksum'],
  action: 'block',
  by: 'category',
  ...more,
})

export const refused = (more: Partial<AuditRecord> = {}): AuditRecord =>
  record({
    outcome: 'refused',
    status: 400,
    upstream: '',
    reasons: ['content_blocked', 'secret_in_prompt'],
    findings: [finding()],
    tokens: null,
    timings: { scan_request: 0.3, total: 1.1 },
    ...more,
  })

export const state = (more: Partial<GuardState> = {}): GuardState => ({
  version: '0.1.0',
  startedAt: Date.now() - 5_400_000,
  ready: [],
  policy: { engine: 'wasm', revision: 'sha256:3f9c1b2a77', since: Date.now() - 1_800_000 },
  parts: [
    {
      area: 'Audit',
      name: '/var/log/postern/audit.log',
      state: 'good',
      says: 'Written; the last record a second ago.',
    },
    { area: 'Certificates', name: 'workload', state: 'warning', says: 'Ends in 40 minutes; renewal is due.' },
    { area: 'Policy bundle', name: 'controller', state: 'good', says: 'Confirmed 12 s ago.' },
    { area: 'Upstreams', name: 'model', state: 'good', says: 'Takes requests.' },
    { area: 'Upstreams', name: 'spare', state: 'bad', says: 'Circuit open: connection refused.' },
  ],
  ...more,
})

export const coverage: Json = [
  {
    name: 'openai.chat',
    method: 'POST',
    path: '/v1/chat/completions',
    query: [],
    kind: 'dialect',
    inspected: true,
    nonText: false,
    extras: [],
    rows: [
      {
        direction: 'request',
        part: '/messages/*/content',
        treatment: 'scanned',
        role: 'user',
        channel: 'message',
      },
      { direction: 'request', part: '/model', treatment: 'closed', note: 'a configured name' },
      {
        direction: 'response',
        part: '/choices/*/message/content',
        treatment: 'scanned',
        role: 'assistant',
        channel: 'message',
      },
    ],
  },
  {
    name: 'health',
    method: 'GET',
    path: '/healthz',
    query: [],
    kind: 'health',
    inspected: false,
    why: 'The request has no body.',
  },
]
