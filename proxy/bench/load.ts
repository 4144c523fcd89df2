import { Agent, request } from 'node:http'

export interface Target {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
}

export interface Load {
  readonly target: Target
  readonly body: Buffer
  readonly concurrency: number
  readonly seconds: number
}

export interface Measured {
  readonly requests: number
  readonly failed: number
  /** Milliseconds, sorted: from sending to the last byte. */
  readonly latencies: readonly number[]
  /** Milliseconds, sorted: from sending to the first byte of the answer's text. */
  readonly firstText: readonly number[]
}

/** A closed loop: `concurrency` clients, each sends its next request when the last answer is complete. */
export const load = async ({ target, body, concurrency, seconds }: Load): Promise<Measured> => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const latencies: number[] = []
  const firstText: number[] = []
  let failed = 0
  const until = performance.now() + seconds * 1000
  const client = async (): Promise<void> => {
    while (performance.now() < until) {
      const one = await exchange(target, body, agent)
      if (one.ok) {
        latencies.push(one.ms)
        if (one.firstMs !== undefined) firstText.push(one.firstMs)
      } else failed += 1
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  agent.destroy()
  const sort = (values: number[]): number[] => values.sort((a, b) => a - b)
  return { requests: latencies.length, failed, latencies: sort(latencies), firstText: sort(firstText) }
}

const MARK = Buffer.from('A piece')

const exchange = (
  { port, headers }: Target,
  body: Buffer,
  agent: Agent,
): Promise<{ ok: boolean; ms: number; firstMs: number | undefined }> =>
  new Promise((resolve) => {
    const begin = performance.now()
    let firstMs: number | undefined
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/v1/chat/completions',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
      },
      (response) => {
        response.on('data', (bytes: Buffer) => {
          if (firstMs === undefined && bytes.includes(MARK)) firstMs = performance.now() - begin
        })
        response.on('end', () =>
          resolve({ ok: response.statusCode === 200, ms: performance.now() - begin, firstMs }),
        )
      },
    )
    sent.on('error', () => resolve({ ok: false, ms: 0, firstMs }))
    sent.end(body)
  })

export const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN
