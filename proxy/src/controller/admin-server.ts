import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface AdminOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Why the Service should send nothing here; empty when it should. */
  readonly ready: () => readonly string[]
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

export interface AdminServer {
  readonly address: AddressInfo
  close(): Promise<void>
}

interface Page {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** /livez, /readyz and /metrics without authentication: it has no secrets and changes nothing. */
export const adminServer = async (options: AdminOptions): Promise<AdminServer> => {
  const limits = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 5000 }
  const server = createServer(limits, (request, response) => {
    const target = `${request.method ?? ''} ${request.url ?? ''}`
    void pageOf(target, options)
      .catch(() => json(500, { error: 'see the log' }))
      .then(({ status, type, text }) => {
        const length = Buffer.byteLength(text)
        response.writeHead(status, {
          'content-type': type,
          'content-length': length,
          'cache-control': 'no-store',
        })
        response.end(text)
      })
  })
  server.maxConnections = 256
  server.on('upgrade', (_request, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, resolve)
  })
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const pageOf = async (target: string, { ready, metrics }: AdminOptions): Promise<Page> => {
  switch (target) {
    case 'GET /livez':
      return json(200, { live: true })
    case 'GET /readyz': {
      const reasons = ready()
      return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons })
    }
    case 'GET /metrics': {
      const { contentType, text } = await metrics()
      return { status: 200, type: contentType, text }
    }
    default:
      return json(404, { error: 'there are GET /livez, /readyz and /metrics' })
  }
}

const json = (status: number, value: Readonly<Record<string, unknown>>): Page => ({
  status,
  type: 'application/json',
  text: `${JSON.stringify(value)}\n`,
})
