import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Authority, Leaf } from './authority.ts'

export interface TestController {
  readonly url: string
  readonly requests: {
    readonly token: string | undefined
    readonly type: string | undefined
    readonly csr: string
  }[]
  /** How it answers; by default with a certificate. */
  answer: (csr: string, response: ServerResponse, request: IncomingMessage) => Promise<void> | void
  /** What certificates it gives. */
  leaf: Leaf
  /** Who signs them, and the authorities sent along. */
  signer: Authority
  ca: string
  close(): Promise<void>
}

/** A stand-in for our own controller: real TLS and the answers of its `POST /v1/identity`, without a cluster. */
export const controller = async (tls: Authority, signer: Authority): Promise<TestController> => {
  const { certificate: cert, key } = await tls.issue({ uris: [], ip: '127.0.0.1' })
  const server = createServer({ cert, key })
  server.on('tlsClientError', () => undefined)
  const it: TestController & { url: string } = {
    url: '',
    requests: [],
    leaf: {},
    signer,
    ca: signer.pem,
    answer: async (csr, response) => {
      const certificate = await it.signer.sign(csr, it.leaf)
      const notAfter = new Date(Date.now() + (it.leaf.to ?? 3600) * 1000).toISOString()
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ certificate, ca: it.ca, notAfter }))
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const csr = Buffer.concat(chunks).toString()
    it.requests.push({ token: request.headers.authorization, type: request.headers['content-type'], csr })
    if (request.method !== 'POST' || request.url !== '/v1/identity') response.writeHead(404).end()
    else await it.answer(csr, response, request)
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => undefined)
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  it.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return it
}
