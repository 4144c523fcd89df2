/**
 * CPU time of one call through the pool against a bare loopback server in another process: 1.5 KB up, 1.5 KB down,
 * and per event of a stream. Run: node proxy/bench/upstream.ts [calls] [concurrency]
 */
import { fork } from 'node:child_process'
import { createServer } from 'node:http'
import { Pool } from 'undici'
import { noLog } from '../src/core/log.ts'
import { noMeter } from '../src/core/metrics.ts'
import type { ModelRequest, Models } from '../src/core/upstream.ts'
import { modelPool } from '../src/upstream/pool.ts'

const ANSWER = JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'x'.repeat(1400) } }] })
const QUESTION = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(1400) }] })
const EVENTS = 64
const EVENT = `data: ${JSON.stringify({ choices: [{ delta: { content: 'word ' } }] })}\n\n`

const serve = (): void => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url !== '/stream') {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length })
        response.end(ANSWER)
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      let left = EVENTS
      const next = (): void => {
        if (left-- === 0) response.end()
        else response.write(EVENT, () => setImmediate(next))
      }
      next()
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' ? address?.port : 0)
  })
}

interface Load {
  readonly calls: number
  readonly concurrency: number
  readonly once: () => Promise<unknown>
}

/** Microseconds of this process's CPU per call. */
const measure = async ({ calls, concurrency, once }: Load): Promise<number> => {
  const before = process.cpuUsage()
  let left = calls
  const worker = async (): Promise<void> => {
    while (left-- > 0) await once()
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

let received = 0

const throughPool = (models: Models, changes: Partial<ModelRequest>) => async (): Promise<void> => {
  const request: ModelRequest = {
    model: 'm',
    path: '/whole',
    body: () => QUESTION,
    stream: false,
    headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    ...changes,
  }
  const reply = await models.call(request, new AbortController().signal)
  for await (const piece of reply.body) received += piece.byteLength
}

const bare = (pool: Pool, path: string) => async (): Promise<void> => {
  const { body } = await pool.request({
    method: 'POST',
    path,
    headers: ['content-type', 'application/json'],
    body: QUESTION,
  })
  for await (const piece of body as AsyncIterable<Uint8Array>) received += piece.byteLength
}

const main = async (): Promise<void> => {
  const calls = Number(process.argv[2] ?? 20_000)
  const concurrency = Number(process.argv[3] ?? 16)
  const server = fork(import.meta.filename, ['--serve'])
  const port = await new Promise<unknown>((resolve) => server.once('message', resolve))
  const url = `http://127.0.0.1:${String(port)}`
  const models = modelPool(
    {
      upstreams: [
        {
          name: 'm',
          url,
          pool: { connections: concurrency, keepAliveMs: 30_000 },
          timeouts: { connectMs: 1000, headersMs: 10_000, idleMs: 10_000, totalMs: 60_000 },
          maxHeaderBytes: 16_384,
          maxBodyBytes: 1_000_000,
        },
      ],
      models: [{ name: 'm', targets: [{ upstream: 'm' }] }],
    },
    { meter: noMeter, log: noLog },
  )
  const plain = new Pool(url, { connections: concurrency, allowH2: false })
  const loads: Record<string, () => Promise<void>> = {
    'pool, whole': throughPool(models, {}),
    'undici request, whole': bare(plain, '/whole'),
    'pool, stream': throughPool(models, { path: '/stream', stream: true }),
    'undici request, stream': bare(plain, '/stream'),
  }
  for (const [name, once] of Object.entries(loads)) {
    const share = name.endsWith('stream') ? Math.ceil(calls / EVENTS) : calls
    await measure({ calls: Math.ceil(share / 4), concurrency, once })
    const micros = await measure({ calls: share, concurrency, once })
    const each = name.endsWith('stream') ? `, ${(micros / EVENTS).toFixed(1)} us an event` : ''
    process.stdout.write(`${name}: ${micros.toFixed(1)} us CPU a call${each}\n`)
  }
  process.stdout.write(`${(received / 1e6).toFixed(0)} MB read\n`)
  await models.close()
  await plain.close()
  server.kill()
}

if (process.argv[2] === '--serve') serve()
else await main()
