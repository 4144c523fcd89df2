import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import type { Presented } from '../../core/caller.ts'
import type { JsonObject } from '../../core/json.ts'

export interface Signer {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
  readonly jwk: JsonObject
}

export const newSigner = (alg = 'ES256', kid: string = randomUUID()): Signer => {
  const { privateKey, publicKey } = keyPair(alg)
  return {
    kid,
    alg,
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
  }
}

const keyPair = (alg: string) => {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  if (alg.startsWith('ES'))
    return generateKeyPairSync('ec', { namedCurve: `P-${alg.slice(2).replace('512', '521')}` })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export const sign = (
  signer: Signer,
  claims: JsonObject,
  header: Record<string, unknown> = {},
): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: 'JWT', ...header })
    .sign(signer.privateKey)

export const seconds = (): number => Math.floor(Date.now() / 1000)

export const claimsOf = (issuer: string, more: JsonObject = {}): JsonObject => ({
  iss: issuer,
  aud: 'models',
  sub: 'alice',
  exp: seconds() + 600,
  iat: seconds(),
  ...more,
})

export const bearer = (token: string): Presented => ({
  headers: { authorization: `Bearer ${token}` },
  certificate: undefined,
})

/** A real HTTP server whose answers a test can change, counting the requests for each path. */
export interface KeyServer {
  readonly url: string
  readonly requests: string[]
  answer: (response: ServerResponse, path: string) => void
  close(): Promise<void>
}

export const startKeyServer = async (keys: readonly JsonObject[]): Promise<KeyServer> => {
  const { server, url } = await listen((request, response) => {
    const path = request.url ?? ''
    state.requests.push(path)
    state.answer(response, path)
  })
  const state: KeyServer = {
    url,
    requests: [],
    answer: (response, path) => {
      const discovery = { issuer: url, jwks_uri: `${url}/keys` }
      response.end(JSON.stringify(path === '/keys' ? { keys } : discovery))
    },
    close: () => closed(server),
  }
  return state
}

export const listen = async (listener: RequestListener): Promise<{ server: Server; url: string }> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

export const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
