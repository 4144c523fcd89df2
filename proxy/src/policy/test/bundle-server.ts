import 'reflect-metadata'
import { KeyObject, webcrypto } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import { KeyUsageFlags, KeyUsagesExtension, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509'

export interface Identity {
  readonly cert: string
  readonly key: string
}

/** A self-signed certificate for 127.0.0.1, which is its own authority. */
export const selfSigned = async (name: string): Promise<Identity> => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}`,
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true),
        new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      ],
    },
    webcrypto,
  )
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })
  return { cert: certificate.toString('pem'), key: String(key) }
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface TestServer {
  readonly url: string
  readonly requests: IncomingMessage[]
  answer: Answer
  close(): Promise<void>
}

/** A real HTTPS server that answers as it is told. With `clientCa` it asks for a client certificate and refuses the others. */
export const httpsServer = async (identity: Identity, clientCa?: string): Promise<TestServer> => {
  const server = createServer({
    ...identity,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  })
  server.on('tlsClientError', () => undefined)
  const it = {
    url: '',
    requests: [] as IncomingMessage[],
    answer: ((_request, response) => void response.writeHead(503).end()) as Answer,
    close: (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    it.requests.push(request)
    response.on('error', () => undefined)
    it.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  it.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/bundle.tar.gz`
  return it
}

export const showsCertificate = (request: IncomingMessage): boolean =>
  request.socket instanceof TLSSocket && request.socket.authorized
