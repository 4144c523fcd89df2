import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import type { PeerCertificate as NodePeer, TLSSocket } from 'node:tls'
import type { PeerCertificate } from '../core/caller.ts'
import { certificateIdentifier } from './certificate.ts'
import type { CertificateOptions } from './certificate.ts'
import { readAltNames } from './subject-alt-name.ts'

const peer = (subjectAltName: string, validTo = Infinity): PeerCertificate => ({
  subjectAltName,
  subjectCommonName: 'app',
  fingerprint256: '00',
  validTo,
})

const spiffe: CertificateOptions = {
  subject: 'spiffe',
  trustDomains: ['good.test'],
  grants: [
    { match: 'ns/{tenant}/sa/admin', roles: ['admin'] },
    { match: 'ns/{tenant}/sa/*', roles: ['reader'], scopes: ['chat'] },
    { match: 'jobs/**', roles: ['batch'], tenant: 'jobs' },
  ],
  defaultTenant: 'none',
}

const identify = (certificate: PeerCertificate, options = spiffe) =>
  certificateIdentifier(options).identify({ headers: {}, certificate })

test.each([
  ['ns/prod/sa/admin', 'prod', ['admin']],
  ['ns/prod/sa/app', 'prod', ['reader']],
  ['jobs/a/b/c', 'jobs', ['batch']],
  ['jobs', 'none', []],
  ['ns/prod/sa/app/more', 'none', []],
])('the SPIFFE path %s has the tenant %s and the roles %j', async (path, tenant, roles) => {
  const subject = `spiffe://good.test/${path}`
  expect(await identify(peer(`URI:${subject}`))).toMatchObject({ subject, tenant, roles, via: 'certificate' })
})

test.each([
  'URI:spiffe://evil.test/ns/a/sa/app',
  'URI:spiffe://good.test.evil.test/ns/a/sa/app',
  'URI:spiffe://good.test/ns/a/sa/app, URI:spiffe://good.test/ns/b/sa/app',
  'URI:spiffe://good.test/a, URI:https://good.test/',
  'DNS:spiffe://good.test/ns/a/sa/app',
  'DNS:"x, URI:spiffe://good.test/ns/a/sa/app"',
  'DirName:"CN = x, URI:spiffe://good.test/ns/a/sa/app"',
  'URI:"spiffe://good.test/a,b"',
  'URI:spiffe://good.test',
  'URI:spiffe://good.test/',
  'URI:spiffe://good.test/a/',
  'URI:spiffe://good.test//a',
  'URI:spiffe://good.test/a/../b',
  'URI:spiffe://good.test/.',
  'URI:spiffe://good.test/%61',
  'URI:spiffe://good.test/a?b',
  'URI:spiffe://good.test/a#b',
  'URI:spiffe://good.test:443/a',
  'URI:spiffe://user@good.test/a',
  'URI:spiffe://GOOD.test/a',
  'URI:SPIFFE://good.test/a',
  'URI:https://good.test/a',
  `URI:spiffe://good.test/${'a'.repeat(300)}`,
  '',
])('the names %s give no caller', async (names) => {
  await expect(identify(peer(names))).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('the end of a certificate counts at every request', async () => {
  let now = 1000
  const identifier = certificateIdentifier({ ...spiffe, now: () => now })
  const certificate = peer('URI:spiffe://good.test/ns/a/sa/app', 2000)
  expect(await identifier.identify({ headers: {}, certificate })).toBeDefined()
  now = 2000
  await expect(identifier.identify({ headers: {}, certificate })).rejects.toMatchObject({
    code: 'unauthenticated',
  })
  await expect(
    identifier.identify({ headers: {}, certificate: { ...certificate, validTo: NaN } }),
  ).rejects.toMatchObject({
    code: 'unauthenticated',
  })
})

test('without a certificate others decide', async () => {
  expect(
    await certificateIdentifier(spiffe).identify({ headers: {}, certificate: undefined }),
  ).toBeUndefined()
})

test('DNS and e-mail names are callers too', async () => {
  const dns: CertificateOptions = {
    subject: 'dns',
    grants: [{ match: '*.batch.example', roles: ['b'], tenant: 't' }],
  }
  expect(await identify(peer('DNS:Job.Batch.example, IP Address:127.0.0.1'), dns)).toMatchObject({
    subject: 'job.batch.example',
    roles: ['b'],
  })
  for (const names of [
    'DNS:*.batch.example',
    'DNS:a.batch.example, DNS:b.batch.example',
    'DNS:"a\\u0000.batch.example"',
    'DNS:other.example',
  ])
    await expect(identify(peer(names), dns)).rejects.toMatchObject({ code: 'unauthenticated' })
  const email: CertificateOptions = {
    subject: 'email',
    grants: [{ match: '*@corp.example', roles: ['staff'] }],
    defaultTenant: 't',
  }
  expect(await identify(peer('email:ann@CORP.example'), email)).toMatchObject({
    subject: 'ann@corp.example',
    roles: ['staff'],
  })
  expect(await identify(peer('email:ann@evil.example'), email)).toMatchObject({ roles: [] })
  for (const names of ['email:"a\\"@b"@corp.example', 'email:a@b@corp.example', 'email:@corp.example'])
    await expect(identify(peer(names), email)).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('names that are quoted as Node quotes them read back, whatever they hold', () => {
  const safe = (text: string) => /^[ !#-+\-.-[\]-~]*$/.test(text)
  const name = fc.record({
    kind: fc.constantFrom('DNS', 'URI', 'email', 'IP Address'),
    value: fc.string({ minLength: 1 }),
  })
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const text = names
        .map(({ kind, value }) => `${kind}:${safe(value) ? value : JSON.stringify(value)}`)
        .join(', ')
      expect(readAltNames(text)).toEqual(names)
    }),
  )
})

test.each<[CertificateOptions, RegExp]>([
  [{ subject: 'spiffe', defaultTenant: 't' }, /trustDomains/],
  [{ subject: 'dns' }, /tenant/],
  [{ subject: 'dns', grants: [{ match: 'a', roles: [''], tenant: 't' }] }, /roles/],
])('options that cannot work are refused at start: %j', (options, message) => {
  expect(() => certificateIdentifier(options)).toThrow(message)
})

const openssl = spawnSync('openssl', ['version']).status === 0

;(openssl ? describe : describe.skip)(
  'with certificates made by openssl (skipped where it is absent)',
  () => {
    let folder = ''
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'postern-certificates-'))
    })
    afterAll(() => {
      rmSync(folder, { recursive: true, force: true })
    })

    const make = (san: string) => {
      const config = join(folder, 'c.cnf')
      writeFileSync(
        config,
        `[req]\ndistinguished_name=d\n[d]\n[e]\nsubjectAltName=${san}\n[n]\nCN=a,b\n[p]\nURI.1=spiffe://good.test/a, URI:spiffe://good.test/b\n`,
      )
      const [cert, key] = [join(folder, 'c.pem'), join(folder, 'k.pem')]
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
          '-nodes',
          '-keyout',
          key,
          '-out',
          cert,
          '-days',
          '1',
          '-subj',
          '/CN=app',
          '-config',
          config,
          '-extensions',
          'e',
        ],
        { stdio: 'ignore' },
      )
      return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    }
    const namesIn = (san: string) => new X509Certificate(make(san).cert).subjectAltName ?? ''

    test('one good SPIFFE ID is the caller', async () => {
      expect(await identify(peer(namesIn('URI:spiffe://good.test/ns/a/sa/app')))).toMatchObject({
        tenant: 'a',
      })
    })

    test.each([
      'URI:spiffe://good.test/a,URI:spiffe://good.test/b',
      'DNS:spiffe://good.test/a',
      'dirName:n',
      '@p',
    ])('%s is refused', async (san) => {
      await expect(identify(peer(namesIn(san)))).rejects.toMatchObject({ code: 'unauthenticated' })
    })

    test('what a TLS connection says about its peer is understood', async () => {
      const { cert, key } = make('URI:spiffe://good.test/ns/a/sa/app,DNS:app.test')
      const found = await new Promise<NodePeer>((resolve) => {
        const server = createServer({ cert, key, ca: cert, requestCert: true }, (socket: TLSSocket) => {
          resolve(socket.getPeerCertificate())
          socket.destroy()
          server.close()
        })
        server.listen(0, '127.0.0.1', () => {
          const { port } = server.address() as AddressInfo
          connect({ port, host: '127.0.0.1', cert, key, ca: cert, checkServerIdentity: () => undefined }).on(
            'error',
            () => undefined,
          )
        })
      })
      const certificate = peer(found.subjectaltname ?? '', Date.parse(found.valid_to))
      expect(await identify(certificate)).toMatchObject({
        subject: 'spiffe://good.test/ns/a/sa/app',
        roles: ['reader'],
      })
    })
  },
)
