import type { Api } from './api.ts'
import { newKey, signLeaf, type KeyedCertificate } from '../../proxy/src/controller/pki/x509.ts'
import { readGenerations, trustedAt, type Generations } from '../../proxy/src/controller/pki/state.ts'
import { RELEASE } from './installation.ts'

/** The CAs of the release, as its Secret holds them. */
export const generations = async ({ kubectl }: Api): Promise<Generations> => {
  const path = String.raw`jsonpath={.data.state\.json}`
  const text = await kubectl(['-n', RELEASE, 'get', 'secret', `${RELEASE}-ca`, '-o', path])
  return readGenerations(Buffer.from(text, 'base64').toString('utf8'))
}

/** The one that signs. */
export const authority = async (cluster: Api): Promise<KeyedCertificate> => {
  const [signer] = trustedAt(await generations(cluster), Date.now())
  if (signer === undefined) throw new Error('the release has no CA')
  return signer
}

/** A certificate for a client with this SPIFFE ID, good for an hour. */
export const clientCertificate = async (
  ca: KeyedCertificate,
  uri: string,
): Promise<{ readonly cert: string; readonly key: string }> => {
  const { key, publicKey } = newKey()
  const now = Date.now()
  const life = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) }
  const cert = await signLeaf(ca, { publicKey, names: { dns: [], uri }, ...life, usage: ['client'] })
  return { cert, key }
}
