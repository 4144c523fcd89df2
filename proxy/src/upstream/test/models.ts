import { noLog } from '../../core/log.ts'
import { noMeter, type Meter } from '../../core/metrics.ts'
import { Refusal } from '../../core/refusal.ts'
import type { ModelReply, ModelRequest, Models } from '../../core/upstream.ts'
import type { ModelPoolOptions, UpstreamOptions } from '../options.ts'
import { modelPool } from '../pool.ts'

export type UpstreamChanges = Partial<Omit<UpstreamOptions, 'timeouts' | 'pool'>> & {
  readonly timeouts?: Partial<UpstreamOptions['timeouts']>
  readonly pool?: Partial<UpstreamOptions['pool']>
}

export const upstream = (url: string, changes: UpstreamChanges = {}): UpstreamOptions => ({
  name: 'main',
  url,
  maxHeaderBytes: 16_384,
  maxBodyBytes: 1_000_000,
  ...changes,
  pool: { connections: 4, keepAliveMs: 30_000, ...changes.pool },
  timeouts: { connectMs: 10_000, headersMs: 15_000, idleMs: 15_000, totalMs: 18_000, ...changes.timeouts },
})

/** Counts of results per upstream, such as `main ok`. */
export type Counts = Record<string, number>

export const pooled = (
  options: Partial<ModelPoolOptions> & { upstreams: readonly UpstreamOptions[] },
): { models: Models; counts: Counts; healthy: Record<string, number> } => {
  const counts: Counts = {}
  const healthy: Record<string, number> = {}
  const meter: Meter = {
    ...noMeter,
    add: (name, amount, ...labels) => {
      if (name !== 'postern_upstream_requests_total') return
      counts[labels.join(' ')] = (counts[labels.join(' ')] ?? 0) + amount
    },
    set: (name, value, ...labels) => {
      if (name === 'postern_upstream_healthy') healthy[labels.join(' ')] = value
    },
  }
  const targets = options.upstreams.map(({ name }) => ({ upstream: name }))
  const models = modelPool({ models: [{ name: 'small', targets }], ...options }, { meter, log: noLog })
  return { models, counts, healthy }
}

export const single = (url: string, changes: UpstreamChanges = {}) =>
  pooled({ upstreams: [upstream(url, changes)] })

export const chat = (changes: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'small',
  path: '/v1/chat/completions',
  body: (model) => JSON.stringify({ model }),
  stream: false,
  headers: {},
  ...changes,
})

export const never = new AbortController().signal

export const read = async (reply: ModelReply): Promise<string> => {
  const pieces: Uint8Array[] = []
  for await (const piece of reply.body) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

/** The code of the refusal that a call or the reading of its answer ends with. */
export const codeOf = async (call: Promise<ModelReply>): Promise<string> => {
  try {
    return `answered: ${await read(await call)}`
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}
