import { afterAll, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import { authority, hasOpenssl } from '../upstream/test/certificates.ts'
import { singleConnection, type SingleConnection } from './single-connection.ts'

const tlsTest = hasOpenssl() ? test : test.skip
const ours = hasOpenssl() ? authority() : undefined
const servers: Server[] = []

afterAll(() => {
  ours?.remove()
  for (const server of servers) server.close()
})

const issue = (name: string) => ours?.issue(name) ?? { cert: '', key: '' }

const listen = async (tls: TlsOptions): Promise<URL> => {
  const server = createServer(tls, (_request, response) => void response.end('answered'))
  server.on('tlsClientError', () => undefined)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** What the server says, or the code of the error. */
const ask = async (
  url: URL,
  tls: Pick<SingleConnection, 'ca' | 'serverName' | 'client'>,
): Promise<string> => {
  const dispatcher = new Agent(singleConnection({ connectMs: 10_000, answerMs: 10_000, ...tls }))
  try {
    const { body } = await request(url, { dispatcher })
    return await body.text()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  } finally {
    await dispatcher.destroy()
  }
}

/** The same from a Node of its own: what Jest gives its tests for an environment, TLS does not see. */
const askFrom = async ({ env, url, ca }: { env: NodeJS.ProcessEnv; url: URL; ca?: string | undefined }) => {
  const script = `import { Agent, request } from 'undici'
    import { singleConnection } from './single-connection.ts'
    const { url, ca } = JSON.parse(process.argv[1])
    const dispatcher = new Agent(singleConnection({ connectMs: 10_000, answerMs: 10_000, ca }))
    const said = await request(url, { dispatcher }).then(({ body }) => body.text(), (error) => error.code)
    await dispatcher.destroy()
    console.log(said)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script, JSON.stringify({ url, ca })],
    { cwd: import.meta.dirname, env: { ...process.env, ...env } },
  )
  return stdout.trim()
}

tlsTest('a server proves its name, or the one it is said to have (needs openssl)', async () => {
  const ca = ours?.ca
  const url = await listen(issue('DNS:desk.internal'))
  expect(await ask(url, { ca, serverName: 'desk.internal' })).toBe('answered')
  expect(await ask(url, { ca, serverName: 'other.internal' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  expect(await ask(url, { ca, serverName: undefined })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
})

tlsTest('nothing that Node is started with lets an unknown authority in (needs openssl)', async () => {
  const url = await listen(issue('IP:127.0.0.1'))
  expect(await askFrom({ env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, url })).toMatch(/UNABLE_TO_|SELF_SIGNED/)
  expect(await askFrom({ env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, url, ca: ours?.ca })).toBe('answered')
})

tlsTest('nothing that Node is started with lets TLS before 1.2 in (needs openssl)', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const url = await listen({ ...issue('IP:127.0.0.1'), ...old })
  const env = { NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0' }
  expect(await askFrom({ env, url, ca: ours?.ca })).toMatch(/PROTOCOL/)
})

tlsTest('the certificate is shown to a server that asks for one (needs openssl)', async () => {
  const ca = ours?.ca ?? ''
  const url = await listen({ ...issue('IP:127.0.0.1'), ca, requestCert: true })
  expect(await ask(url, { ca, client: issue('DNS:guard') })).toBe('answered')
  expect(await ask(url, { ca })).not.toBe('answered')
})
