import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { noMeter } from '../core/metrics.ts'
import { hasOpenssl, makeCa, makeCrl, makeLeaf, pem } from './test/certificates.ts'
import type { Handler } from './server.ts'
import { start, statuses, stopAll, type Started } from './test/start.ts'
import { readTls, watchTls } from './tls-files.ts'
import type { ClientAuth, TlsMaterial } from './tls.ts'

test('openssl is there wherever it matters', () => {
  expect(hasOpenssl || process.env['CI'] === undefined).toBe(true)
})

const withOpenssl = hasOpenssl ? describe : describe.skip

withOpenssl('TLS (needs openssl)', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-tls-'))
    for (const ca of ['ca', 'other']) makeCa(folder, ca)
    makeLeaf(folder, 'server', { ca: 'ca', san: 'DNS:localhost', usage: 'serverAuth' })
    makeLeaf(folder, 'server2', { ca: 'ca', san: 'DNS:localhost', usage: 'serverAuth' })
    makeLeaf(folder, 'good', { ca: 'ca', san: 'URI:spiffe://good.test/ns/a/sa/app' })
    makeLeaf(folder, 'revoked', { ca: 'ca', san: 'URI:spiffe://good.test/ns/a/sa/app' })
    makeLeaf(folder, 'foreign', { ca: 'other', san: 'URI:spiffe://good.test/ns/a/sa/app' })
    makeLeaf(folder, 'weak', { ca: 'ca', san: 'URI:spiffe://good.test/ns/a/sa/app', rsa: 1024 })
    makeLeaf(folder, 'wrongUse', { ca: 'ca', san: 'URI:spiffe://good.test/ns/a/sa/app', usage: 'serverAuth' })
    makeCrl(folder, 'ca', ['revoked'])
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  afterEach(stopAll)

  const material = (server = 'server', clientCa = 'ca'): TlsMaterial => ({
    cert: pem(folder, `${server}.crt`),
    key: pem(folder, `${server}.key`),
    clientCa: pem(folder, `${clientCa}.pem`),
    crl: clientCa === 'ca' ? pem(folder, 'crl.pem') : undefined,
  })

  const startTls = (clientAuth: ClientAuth): Promise<Started> =>
    start({ tls: { material: material(), clientAuth } })

  const as = (name: string): ConnectionOptions => ({
    cert: pem(folder, `${name}.crt`),
    key: pem(folder, `${name}.key`),
  })

  const GET = 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n'

  /** The status, or the error that the handshake ended with. */
  const call = (port: number, options: ConnectionOptions = {}): Promise<number | string> =>
    new Promise((resolve) => {
      const all = { host: '127.0.0.1', port, servername: 'localhost', ca: pem(folder, 'ca.pem') }
      const socket = connect({ ...all, ...options }, () => socket.write(GET))
      socket.on('data', (piece: Buffer) => {
        resolve(statuses(piece.toString())[0] ?? 'no status')
        socket.destroy()
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      socket.on('close', () => resolve('closed'))
    })

  test('client certificates are required, and only good ones count', async () => {
    const { port, received } = await startTls('required')
    expect(await call(port, as('good'))).toBe(200)
    expect(received[0]!.presented.certificate).toMatchObject({
      subjectAltName: 'URI:spiffe://good.test/ns/a/sa/app',
      subjectCommonName: 'good',
    })
    expect(received[0]!.presented.certificate!.validTo).toBeGreaterThan(Date.now())
    for (const name of ['foreign', 'revoked', 'wrongUse']) expect(await call(port, as(name))).not.toBe(200)
    expect(await call(port, { ...as('weak'), ciphers: 'DEFAULT@SECLEVEL=0' })).not.toBe(200)
    expect(await call(port)).not.toBe(200)
    expect(received).toHaveLength(1)
  })

  test('client certificates are optional, but a bad one is refused all the same', async () => {
    const { port, received } = await startTls('optional')
    expect(await call(port)).toBe(200)
    expect(received[0]!.presented.certificate).toBeUndefined()
    expect(await call(port, as('good'))).toBe(200)
    expect(received[1]!.presented.certificate).toBeDefined()
    for (const name of ['foreign', 'revoked']) expect(await call(port, as(name))).not.toBe(200)
    expect(received).toHaveLength(2)
  })

  test('client certificates without a client CA would mean every public CA: refused at the start', async () => {
    const { cert, key } = material()
    await expect(start({ tls: { material: { cert, key }, clientAuth: 'required' } })).rejects.toThrow(
      'client CA',
    )
  })

  test('old versions, weak ciphers and other protocols are not served', async () => {
    const { port } = await startTls('off')
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
    expect(await call(port, old)).not.toBe(200)
    expect(await call(port, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })).not.toBe(200)
    expect(await call(port, { ALPNProtocols: ['h2'] })).not.toBe(200)
    expect(await call(port, { ALPNProtocols: ['http/1.1'], maxVersion: 'TLSv1.2' })).toBe(200)
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('a %s session is never resumed', async (version) => {
    const { port } = await startTls('required')
    const options = {
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: pem(folder, 'ca.pem'),
      ...as('good'),
    }
    const once = (session?: Buffer): Promise<{ session: Buffer | undefined; reused: boolean }> =>
      new Promise((resolve, reject) => {
        let ticket: Buffer | undefined
        const socket = connect(
          { ...options, minVersion: version, maxVersion: version, ...(session && { session }) },
          () => socket.write(GET),
        )
        socket.on('session', (fresh) => (ticket = fresh))
        socket.on('data', () => {
          resolve({ session: ticket ?? socket.getSession(), reused: socket.isSessionReused() })
          socket.destroy()
        })
        socket.on('error', reject)
      })
    const first = await once()
    expect((await once(first.session)).reused).toBe(false)
  })

  test('stalled handshakes do not starve a good client, and are cut', async () => {
    const { port } = await start({
      tls: { material: material(), clientAuth: 'required' },
      limits: { handshakeTimeoutMs: 4000 },
    })
    const closed: Promise<void>[] = []
    for (let i = 0; i < 200; i++) {
      const stalled = connectTcp(port, '127.0.0.1')
      stalled.on('error', () => undefined)
      closed.push(new Promise((resolve) => stalled.on('close', () => resolve())))
      stalled.resume()
    }
    expect(await call(port, as('good'))).toBe(200)
    await Promise.all(closed)
  })

  test('garbage instead of a handshake harms nobody', async () => {
    const { port } = await startTls('required')
    for (const bytes of [GET, Buffer.from([22, 3, 1, 255, 255]), Buffer.alloc(17_000, 22)]) {
      const socket = connectTcp(port, '127.0.0.1', () => socket.write(bytes))
      socket.on('error', () => undefined)
      await new Promise((resolve) => setTimeout(resolve, 50))
      socket.destroy()
    }
    expect(await call(port, as('good'))).toBe(200)
  })

  test('new material counts for new handshakes and ends the connections of the old', async () => {
    const { server, port } = await startTls('required')
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: pem(folder, 'ca.pem'),
      ...as('good'),
    })
    const idle = new Promise((resolve) => socket.on('close', resolve))
    socket.write(GET)
    await new Promise((resolve) => socket.once('data', resolve))
    server.setTls(material('server2', 'other'))
    await idle
    expect(await call(port, as('good'))).not.toBe(200)
    expect(await call(port, as('foreign'))).toBe(200)
  })

  const begins: Handler = async ({ answer }) => {
    const stream = answer.stream(200, { 'content-type': 'text/event-stream' })
    await stream.write('data: begun\n\n')
    await new Promise((resolve) => setTimeout(resolve, 300))
    await stream.end()
  }
  test.each([
    ['an idle connection', undefined],
    ['a connection that streams meanwhile', begins],
  ])('renewed material loses no request: %s gets one more answer', async (_, handler) => {
    const { server, port } = await start({ tls: { material: material(), clientAuth: 'optional' } }, handler)
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: pem(folder, 'ca.pem') })
    let received = ''
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()))
    const ended = new Promise((resolve) => socket.on('end', resolve))
    socket.write(GET)
    await new Promise((resolve) => socket.once('data', resolve))
    server.setTls(material('server2', 'other'))
    await new Promise((resolve) => setTimeout(resolve, 500))
    socket.write(GET)
    await ended
    expect(received.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    expect(received.match(/connection: close/gi)).toHaveLength(1)
  })

  test('material that is bad is refused and the old serves on', async () => {
    const { server, port } = await startTls('off')
    expect(() => server.setTls({ cert: 'x', key: 'y' })).toThrow()
    expect(await call(port)).toBe(200)
  })

  describe('files', () => {
    const mounted = (): string => {
      const mount = mkdtempSync(join(folder, 'mount-'))
      copyFileSync(join(folder, 'server.crt'), join(mount, 'tls.crt'))
      copyFileSync(join(folder, 'server.key'), join(mount, 'tls.key'))
      return mount
    }
    const files = (mount: string) => ({
      certFile: join(mount, 'tls.crt'),
      keyFile: join(mount, 'tls.key'),
      clientAuth: 'off' as const,
    })

    test('that do not fit are named with what to do', async () => {
      const mount = mounted()
      copyFileSync(join(folder, 'server2.key'), join(mount, 'tls.key'))
      await expect(readTls(files(mount))).rejects.toThrow(
        /tls\.key is not the key of .*tls\.crt: replace both together/,
      )
      writeFileSync(join(mount, 'tls.crt'), 'nonsense')
      await expect(readTls(files(mount))).rejects.toThrow(/tls\.crt is not a PEM certificate/)
      await expect(readTls({ ...files(mount), certFile: '/nowhere/a.crt' })).rejects.toThrow(
        'cannot read /nowhere/a.crt: ENOENT; is the secret mounted and readable?',
      )
      await expect(readTls({ ...files(mounted()), clientAuth: 'required' })).rejects.toThrow('clientCaFile')
    })

    test('that come one after the other are read when both are there', async () => {
      const mount = mounted()
      copyFileSync(join(folder, 'server2.crt'), join(mount, 'tls.crt'))
      setTimeout(() => copyFileSync(join(folder, 'server2.key'), join(mount, 'tls.key')), 100)
      expect((await readTls(files(mount))).cert).toBe(pem(folder, 'server2.crt'))
    })

    test('are followed; bad ones keep the old and are counted', async () => {
      const mount = mounted()
      const { server, port } = await startTls('off')
      const counts: string[] = []
      const events: string[] = []
      const log = (event: string): void => void events.push(event)
      const watching = watchTls({
        files: files(mount),
        apply: (next) => server.setTls(next),
        meter: { ...noMeter, add: (...args) => void counts.push(args.join(' ')) },
        log: { info: log, warn: log, error: log },
        pollMs: 100,
      })
      const until = async (count: number): Promise<void> => {
        for (let i = 0; i < 750 && counts.length < count; i++)
          await new Promise((resolve) => setTimeout(resolve, 20))
      }
      copyFileSync(join(folder, 'server2.crt'), join(mount, 'tls.crt'))
      copyFileSync(join(folder, 'server2.key'), join(mount, 'tls.key'))
      await until(1)
      expect(await serial(port)).toBe('server2')
      writeFileSync(join(mount, 'tls.key'), 'nonsense')
      await until(2)
      expect(counts).toEqual([
        'postern_reloads_total 1 certificate ok',
        'postern_reloads_total 1 certificate failed',
      ])
      expect(events).toEqual(['certificate_reloaded', 'certificate_reload_failed'])
      expect(await serial(port)).toBe('server2')
      watching.close()
    })

    const serial = (port: number): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(
          { host: '127.0.0.1', port, servername: 'localhost', ca: pem(folder, 'ca.pem') },
          () => {
            resolve(String(socket.getPeerCertificate().subject.CN))
            socket.destroy()
          },
        )
      })
  })
})
