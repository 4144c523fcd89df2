import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import { connect as connectSocket } from 'node:net'

export interface GrpcCall {
  readonly socketPath: string
  /** `/Service/Method`. The request is an empty message. */
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
  readonly maxMessageBytes: number
  /** Milliseconds until the first message must have come. */
  readonly firstMessageMs: number
  /** Milliseconds between pings, and until each must be answered. */
  readonly pingMs: number
  readonly signal: AbortSignal
}

/** The status with which a call ended, from grpc-status. */
export class GrpcError extends Error {
  readonly status: number
  constructor(status: number) {
    super(`the call ended with gRPC status ${status}`)
    this.status = status
  }
}

/**
 * The messages of a gRPC server stream over a Unix socket. Ends only with an error: GrpcError when the server said how it ended
 * (also for 0, OK), Error when the connection broke, stalled, or sent what is not gRPC.
 */
export async function* grpcStream(call: GrpcCall): AsyncGenerator<Uint8Array, never> {
  const session = connect('http://localhost', {
    createConnection: () => connectSocket(call.socketPath),
    settings: { enablePush: false },
    maxSessionMemory: 16,
  })
  let broke: Error | undefined
  const end = (cause: Error): void => {
    broke ??= cause
    session.destroy()
  }
  session.on('error', end)
  const onAbort = (): void => end(new Error('closed'))
  call.signal.addEventListener('abort', onAbort, { once: true })
  const first = setTimeout(() => end(new Error('no message came in time')), call.firstMessageMs)
  const pings = pinging(session, call.pingMs, end)
  try {
    call.signal.throwIfAborted()
    const stream = session.request({
      ':method': 'POST',
      ':path': call.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'postern',
      ...call.metadata,
    })
    const status = statusOf(stream)
    stream.end(Buffer.alloc(5))
    for await (const message of messages(stream, call.maxMessageBytes)) {
      clearTimeout(first)
      yield message
    }
    throw await status
  } catch (cause) {
    throw broke ?? cause
  } finally {
    clearTimeout(first)
    clearInterval(pings)
    call.signal.removeEventListener('abort', onAbort)
    session.destroy()
  }
}

/** A server that is gone without closing its socket answers no ping. */
const pinging = (
  session: ClientHttp2Session,
  pingMs: number,
  end: (cause: Error) => void,
): NodeJS.Timeout => {
  let answered = true
  const timer = setInterval(() => {
    if (!answered) end(new Error('no answer to a ping'))
    else if (!session.destroyed && !session.connecting) {
      answered = false
      session.ping((error) => {
        answered = error === null
      })
    }
  }, pingMs)
  return timer.unref()
}

/** Resolves with the error that says how the call ended. Never rejects. */
const statusOf = (stream: ClientHttp2Stream): Promise<Error> =>
  new Promise((resolve) => {
    const read = (headers: IncomingHttpHeaders): void => {
      const status = headers['grpc-status']
      if (typeof status === 'string' && /^\d{1,3}$/.test(status)) resolve(new GrpcError(Number(status)))
    }
    stream.on('response', (headers) => {
      const type = headers['content-type'] ?? ''
      read(headers)
      if (headers[':status'] !== 200 || !/^application\/grpc(?:\+proto|;|$)/.test(type)) {
        resolve(new Error(`answered ${String(headers[':status'])}, not as gRPC`))
        stream.close()
      }
    })
    stream.on('trailers', read)
    stream.on('close', () => resolve(new Error('the stream ended without a gRPC status')))
  })

const PREFIX = 5

/** Each message has a byte that says whether it is compressed, then its length in four. */
async function* messages(stream: ClientHttp2Stream, maxBytes: number): AsyncGenerator<Uint8Array> {
  let chunks: Buffer[] = []
  let have = 0
  let need = PREFIX
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    have += chunk.length
    while (have >= need) {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
      chunks = [bytes]
      if (bytes[0] !== 0) throw new Error('the message is compressed, which was not asked for')
      const length = bytes.readUInt32BE(1)
      if (length > maxBytes) throw new Error(`the message is larger than ${maxBytes} bytes`)
      need = PREFIX + length
      if (have < need) break
      yield bytes.subarray(PREFIX, need)
      chunks = [bytes.subarray(need)]
      have -= need
      need = PREFIX
    }
  }
}
