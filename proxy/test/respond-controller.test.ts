import { afterEach, beforeAll, expect, test } from '@jest/globals'
import { createPublicKey, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { newPrivateKey } from '../src/audit/keys.ts'
import { verifyAudit } from '../src/audit/verify.ts'
import { CliError } from '../src/cli/command.ts'
import { respondCommand } from '../src/cli/respond.ts'
import { readControllerConfig } from '../src/compose/controller-config.ts'
import { controllerResponder } from '../src/compose/controller-respond.ts'
import { httpsServer } from '../src/controller/https-server.ts'
import { boundedKube } from '../src/controller/kube.ts'
import { newAuthority, newKey, signLeaf } from '../src/controller/pki/x509.ts'
import { fakeApi, type FakeApi } from '../src/controller/test/fake-api.ts'
import { noLog } from '../src/core/log.ts'
import { noMeter } from '../src/core/metrics.ts'

const WEBHOOK = 'a-secret-of-falcosidekick-0123456789'
const OPERATOR = 'a-secret-of-an-operator-0123456789'
const MAPS = '/api/v1/namespaces/postern/configmaps'
const NAME = 'postern-controller.postern.svc'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

let ca: string
let material: { cert: string; key: string }
beforeAll(async () => {
  const life = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) }
  const authority = await newAuthority({ trustDomain: 'test', ...life })
  const { key, publicKey } = newKey()
  const leaf = { publicKey, names: { dns: [NAME] }, usage: ['server' as const], ...life }
  material = { cert: await signLeaf(authority, leaf), key }
  ca = authority.certificate
})

interface World {
  readonly url: string
  readonly folder: string
  readonly api: FakeApi
  /** Of the audit lines on standard output. */
  readonly audit: () => string
  /** Falco-shaped events that came out. */
  readonly events: readonly Record<string, unknown>[]
  /** Ends the process that the responder stands for. */
  readonly stop: () => Promise<void>
}

interface Start {
  readonly respond?: object
  readonly leads?: boolean
  readonly folder?: string
  readonly api?: FakeApi
}

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-respond-'))
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'webhook'), WEBHOOK)
  writeFileSync(join(folder, 'operator'), OPERATOR)
  writeFileSync(join(folder, 'ca.crt'), ca)
  return folder
}

/** An API server with ConfigMaps, no pods, and watches that end at once. */
const newApi = async (): Promise<FakeApi> => {
  const api = await fakeApi()
  api.answer = (method, path, { query }) => {
    if (method !== 'GET' || path !== MAPS) return undefined
    const items = query.get('watch') === null ? [...api.objects.values()] : []
    return { status: 200, body: { items, metadata: { resourceVersion: '1' } } }
  }
  closers.push(() => api.close())
  return api
}

const sinkFor = async (events: Record<string, unknown>[]): Promise<string> => {
  const sink = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      events.push(JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as Record<string, unknown>)
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    sink.closeAllConnections()
    return new Promise((resolve) => sink.close(resolve))
  })
  return `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`
}

/** The controller's desk as its process composes it, from its configuration file on. */
const start = async ({ respond = {}, leads = true, ...given }: Start = {}): Promise<World> => {
  const { folder = newFolder(), api = await newApi() } = given
  const events: Record<string, unknown>[] = []
  const text = JSON.stringify({
    namespace: 'postern',
    injection: { version: '0', image: 'x:0' },
    respond: {
      tokenFile: join(folder, 'webhook'),
      operatorTokenFile: join(folder, 'operator'),
      rules: [{ name: 'all', match: { sources: ['postern'] }, respond: 'revoke', for: '2h' }],
      events: { url: await sinkFor(events) },
      ...respond,
    },
  })
  let audit = ''
  const stdout = new Writable({
    write: (chunk: Buffer, _, done) => {
      audit += chunk.toString()
      done()
    },
  })
  const { respond: config, namespace } = readControllerConfig(text, 'controller.yaml')
  const parts = { namespace, kube: boundedKube(api.kube()), log: noLog, meter: noMeter, stdout }
  const responder = controllerResponder(config, parts)!
  const led = responder.lead({ leading: () => leads, onChange: () => () => undefined })
  const server = await httpsServer({
    ...{ host: '127.0.0.1', port: 0, material, routes: responder.routes, log: noLog },
  })
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    await server.close(100)
    await led.close()
    await responder.close()
  }
  closers.push(stop)
  const url = `https://127.0.0.1:${server.address.port}`
  return { url, folder, api, audit: () => audit, events, stop }
}

const respond = async ({ url, folder }: World, args: readonly string[], name = NAME) => {
  const said = { out: '', err: '' }
  const tls = ['--url', url, '--ca', join(folder, 'ca.crt'), '--server-name', name]
  try {
    const code = await respondCommand.run([...args, ...tls], {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      stdin: () => Promise.reject(new Error('nobody writes')),
      env: { POSTERN_RESPOND_SECRET: OPERATOR, USER: 'alice' },
      paint: (_, text) => text,
    })
    return { code, ...said }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { code: error.exit, out: said.out, err: error.message }
  }
}

const REVOKE = ['do', 'revoke', '--subject', 'ci', '--tenant', 'acme', '--via', 'api-key', '--for', '1h']

const idIn = (text: string): string => /\b[0-9a-f]{16}\b/.exec(text)?.[0] ?? ''

const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 1000) throw new Error('it never came')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const linesOf = ({ audit }: World): readonly Record<string, unknown>[] =>
  audit()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ type }) => type === 'response')

test('an operator responds at the desk of the controller, which records it and tells others', async () => {
  const world = await start()
  const began = await respond(world, REVOKE)
  expect(began).toMatchObject({ code: 0, err: '' })
  const id = idIn(began.out)
  expect((await respond(world, ['list'])).out).toMatch(new RegExp(`${id}  revoke +ci of acme \\(api-key\\)`))
  expect(await respond(world, ['undo', id])).toMatchObject({ code: 0 })
  expect(JSON.stringify(world.api.objects.get(`${MAPS}/postern-responses`))).toContain(id)
  await until(() => world.events.length === 2 && linesOf(world).length === 2)
  expect(linesOf(world)).toEqual([
    expect.objectContaining({ order: id, step: 'began', by: 'operator:alice' }),
    expect.objectContaining({ order: id, step: 'undone', by: 'operator:alice' }),
  ])
  expect(world.events).toEqual([
    expect.objectContaining({ rule: 'Postern response', priority: 'Critical', source: 'postern' }),
    expect.objectContaining({ rule: 'Postern response', priority: 'Notice' }),
  ])
  expect(world.events[0]?.['output_fields']).toMatchObject({
    ...{ 'k8s.ns.name': 'postern', 'postern.subject': 'ci', 'postern.order': id, 'postern.step': 'began' },
  })
})

test('a replica that does not lead records, and leaves the telling to the one that does', async () => {
  const world = await start({ leads: false })
  expect(await respond(world, REVOKE)).toMatchObject({ code: 0 })
  await until(() => linesOf(world).length === 1)
  await world.stop()
  expect(world.events).toEqual([])
})

test('a response that comes back as an event is no reason for another: what was undone stays undone', async () => {
  const world = await start()
  const id = idIn((await respond(world, REVOKE)).out)
  await respond(world, ['undo', id])
  await until(() => world.events.length === 2)
  const { fetch, Agent } = await import('undici')
  const dispatcher = new Agent({ connect: { ca, servername: NAME } })
  const falco = async (event: object): Promise<unknown> => {
    const headers = { authorization: `Bearer ${WEBHOOK}` }
    const body = JSON.stringify(event)
    const options = { method: 'POST', headers, body, dispatcher }
    return (await fetch(`${world.url}/v1/respond/falco`, options)).json()
  }
  for (const event of world.events) expect(await falco(event)).toEqual({ result: 'unmatched' })
  expect((await respond(world, ['list'])).out).toBe('No order is in force.\n')
  // The same rule counts for what guards find.
  const found = { ...world.events[0], uuid: randomUUID(), rule: 'Postern caller refused too often' }
  expect(await falco(found)).toMatchObject({ orders: [{ result: 'began' }] })
  await dispatcher.close()
})

/** The store is read after the start. */
const known = async (world: World, id: string): Promise<void> => {
  for (let tries = 0; !(await respond(world, ['list'])).out.includes(id); tries++)
    if (tries > 200) throw new Error('it never came')
}

test('with a key from a Secret the records of every process verify by one public key', async () => {
  const folder = newFolder()
  const api = await newApi()
  const pem = newPrivateKey()
  writeFileSync(join(folder, 'audit.key'), pem)
  const publicKey = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString()
  const other = createPublicKey(newPrivateKey()).export({ type: 'spki', format: 'pem' }).toString()
  const signed = { signingKeyFile: join(folder, 'audit.key') }
  let id = ''
  for (const args of [REVOKE, ['undo']]) {
    const world = await start({ folder, api, respond: signed })
    // The second process undoes what the first began.
    id ||= idIn((await respond(world, args)).out)
    if (args !== REVOKE) {
      await known(world, id)
      await respond(world, [...args, id])
    }
    await until(() => linesOf(world).length === 1)
    await world.stop()
    const log = join(folder, `${args[0] ?? ''}.log`)
    writeFileSync(log, world.audit())
    expect(await verifyAudit(log, { publicKey })).toMatchObject({ ok: true })
    expect(await verifyAudit(log, { publicKey: other })).toMatchObject({ ok: false })
    writeFileSync(log, world.audit().replace('operator:alice', 'operator:mallory'))
    expect(await verifyAudit(log, { publicKey })).toMatchObject({ ok: false })
  }
})

test('a key that is none stops the controller, which says what to do and does not show it', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'audit.key'), 'not-a-key')
  const broken = start({ folder, respond: { signingKeyFile: join(folder, 'audit.key') } })
  await expect(broken).rejects.toThrow(/Ed25519 private key in PKCS#8 PEM: openssl genpkey/)
  const absent = start({ folder, respond: { signingKeyFile: join(folder, 'none.key') } })
  await expect(absent).rejects.toThrow(/none.key: cannot be read/)
})

test('pods that are not there, other certificates and a broken API server are told apart', async () => {
  const world = await start()
  const quarantine = ['do', 'quarantine', '--for', '1h']
  for (const pod of [[], ['--namespace', 'models', '--pod', 'llm-0']])
    expect(await respond(world, [...quarantine, ...pod])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no such pod with a guard'),
    })
  expect(await respond(world, ['list'], 'other.postern.svc')).toMatchObject({
    code: 3,
    err: expect.stringContaining('--server-name'),
  })
  const stranger = await newAuthority({
    ...{ trustDomain: 'other', notBefore: new Date(0), notAfter: new Date(Date.now() + 60_000) },
  })
  writeFileSync(join(world.folder, 'ca.crt'), stranger.certificate)
  expect(await respond(world, ['list'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('give the CA with --ca'),
  })
  writeFileSync(join(world.folder, 'ca.crt'), ca)
  world.api.broken = 500
  expect(await respond(world, REVOKE)).toMatchObject({ code: 3, err: expect.stringContaining('its log') })
})

test('the configuration is written as that of a guard, and mistakes are told alike', () => {
  const config = (respond: object): unknown =>
    readControllerConfig(
      JSON.stringify({ namespace: 'p', injection: { version: '0', image: 'x:0' }, respond }),
      'c.yaml',
    ).respond
  expect(config({ maxAge: '1m', limits: { longest: '1d' } })).toMatchObject({
    ...{ maxAgeMs: 60_000, configMap: 'postern-responses', protected: [], protectedNamespaces: [] },
    limits: { longestMs: 86_400_000, quarantines: 3 },
  })
  expect(() => config({ rules: [{ name: 'x', match: {}, respond: 'tighten' }] })).toThrow(
    /would match every event[^]*is tighten: add overlay/,
  )
  expect(() => config({ tokenFile: '/a', operatorTokenFile: '/a' })).toThrow(/give operators their own/)
  expect(() => config({ maxAgeSeconds: 60 })).toThrow(/maxAgeSeconds: unknown key/)
})
