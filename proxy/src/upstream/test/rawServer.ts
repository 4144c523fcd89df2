import { createServer, type Socket } from 'node:net'

/** What the server does with each request that has arrived in whole. */
export type Answer = (socket: Socket, request: string, number: number) => void

export interface RawServer {
  readonly url: string
  readonly requests: string[]
  /** Connections made so far. */
  readonly connections: () => number
  /** Connections open now. */
  readonly open: () => number
  readonly close: () => Promise<void>
}

/** A model server that says exactly the bytes it is told to. */
export const rawServer = (answer: Answer, onConnection?: (socket: Socket) => void): Promise<RawServer> =>
  new Promise((resolve, reject) => {
    const requests: string[] = []
    const sockets = new Set<Socket>()
    let connections = 0
    const server = createServer((socket) => {
      connections += 1
      sockets.add(socket)
      let received = ''
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
        const length = wholeLength(received)
        if (length === undefined) return
        const request = received.slice(0, length)
        received = received.slice(length)
        requests.push(request)
        answer(socket, request, requests.length)
      })
      onConnection?.(socket)
    }).once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      resolve({
        url: `http://127.0.0.1:${port}`,
        requests,
        connections: () => connections,
        open: () => sockets.size,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            for (const socket of sockets) socket.destroy()
          }),
      })
    })
  })

const wholeLength = (received: string): number | undefined => {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const body = Number(/content-length: (\d+)/i.exec(received.slice(0, end))?.[1] ?? 0)
  return received.length >= end + 4 + body ? end + 4 + body : undefined
}

/** A well-formed answer. */
export const json = (body = '{"ok":true}', head = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** Head of an answer whose body comes in chunks. */
export const chunkedHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'

export const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
