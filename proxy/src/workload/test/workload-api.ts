import { createServer, type ServerHttp2Stream } from 'node:http2'

export interface TestSvid {
  readonly spiffeId: string
  readonly svid: Uint8Array
  readonly key: Uint8Array
  readonly bundle: Uint8Array
  readonly hint?: string
}

export interface TestWorkloadApi {
  /** Told about each call; answers by what it does with the stream. */
  onCall: (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => void
  readonly calls: Readonly<Record<string, unknown>>[]
  close(): Promise<void>
}

/**
 * A stand-in for a SPIRE agent: the documented wire format of the SPIFFE Workload API (gRPC over HTTP/2 on a Unix socket,
 * workload.proto), written out by hand. It attests nobody.
 */
export const workloadApi = async (socketPath: string): Promise<TestWorkloadApi> => {
  const sessions = new Set<{ destroy(): void }>()
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => undefined)
  })
  const it: TestWorkloadApi = {
    onCall: (stream) => deny(stream),
    calls: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.destroy()
      }),
  }
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    stream.resume()
    it.calls.push(headers)
    if (headers['workload.spiffe.io'] !== 'true') end(stream, 3)
    else if (headers[':path'] !== '/SpiffeWorkloadAPI/FetchX509SVID') end(stream, 12)
    else it.onCall(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return it
}

/** Headers at once, so that messages can follow at any time and trailers at the end. */
export const open = (stream: ServerHttp2Stream): void =>
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })

export const send = (stream: ServerHttp2Stream, message: Uint8Array): void =>
  void stream.write(framed(message))

export const end = (stream: ServerHttp2Stream, status: number): void => {
  if (!stream.headersSent) open(stream)
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }))
  stream.end()
}

/** As grpc-go sends an error that comes before any message: status in the only headers there are. */
export const deny = (stream: ServerHttp2Stream): void =>
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '7',
      'grpc-message': 'no identity issued',
    },
    { endStream: true },
  )

export const framed = (message: Uint8Array): Buffer => {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

export const svidResponse = (...svids: readonly TestSvid[]): Buffer =>
  Buffer.concat(
    svids.map(({ spiffeId, svid, key, bundle, hint = '' }) =>
      field(
        1,
        Buffer.concat([
          field(1, Buffer.from(spiffeId)),
          field(2, svid),
          field(3, key),
          field(4, bundle),
          ...(hint === '' ? [] : [field(5, Buffer.from(hint))]),
        ]),
      ),
    ),
  )

export const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])

export const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}
