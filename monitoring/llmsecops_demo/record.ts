import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startTestGuard, type TestGuard } from '../../proxy/test/start.ts'
import { prompts, type Prompt } from './attacks.ts'

export const SESSION = join(import.meta.dirname, 'session.ndjson')

const START = Date.UTC(2026, 0, 12, 9, 0, 0)
const STEP_MS = 20_000
const ADDRESSES = {
  user: '10.20.0.11',
  developer: '10.66.6.6',
  service: '10.20.0.40',
  nobody: '198.51.100.23',
}

/**
 * Sends every prompt through a real guard and gives the records it wrote, one JSON a line. What differs from run to run is replaced:
 * ids, times, trace, timings, versions and the chain are made up, and each caller gets an address of its own.
 */
export const recordSession = async (): Promise<string> => {
  const guard = await startTestGuard()
  try {
    for (const prompt of prompts) await send(guard, prompt)
    await guard.records()
    const written = readFileSync(guard.auditFile, 'utf8').trim().split('\n')
    const exchanges = written
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ type }) => type === 'exchange')
    return exchanges.map((record, at) => `${JSON.stringify(madeStable(record, at))}\n`).join('')
  } finally {
    await guard.close()
  }
}

const send = async ({ url, keys }: TestGuard, { by, text, asToolResult }: Prompt): Promise<void> => {
  const messages = asToolResult
    ? [
        { role: 'user', content: 'When are they open?' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'fetch', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: text },
      ]
    : [{ role: 'user', content: text }]
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[by]}` },
    body: JSON.stringify({ model: 'demo-small', messages }),
  })
  await response.text()
}

const madeStable = (record: Record<string, unknown>, at: number): object => {
  const time = new Date(START + at * STEP_MS).toISOString()
  const role = prompts[at]?.by ?? 'nobody'
  return {
    ...record,
    seq: at + 1,
    prev: '0'.repeat(64),
    written: time,
    id: `demo-${String(at + 1).padStart(4, '0')}`,
    time,
    client: ADDRESSES[role],
    trace: '',
    span: '',
    versions: { guard: 'demo', rules: '0'.repeat(16) },
    policy: { engine: 'wasm', revision: 'demo' },
    decisions: (record['decisions'] as object[]).map((decision) => ({ ...decision, revision: 'demo' })),
    timings: {},
  }
}

if (import.meta.main) writeFileSync(SESSION, await recordSession())
