import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterEach, describe, expect, test } from '@jest/globals'
import { noLog } from '../core/log.ts'
import { redisStore, type RedisOptions } from './store.ts'
import { hasRedis, startRedis } from './test/redisServer.ts'

const redis = hasRedis() ? describe : describe.skip
const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl && process.env['CI'] === 'true') throw new Error('CI needs openssl: apt-get install openssl')

const closing: (() => unknown)[] = []
afterEach(async () => {
  while (closing.length > 0) await closing.pop()?.()
})

const PATIENT = 600
const SURE = 40

/** Asks again until it is connected, or is away. */
const ask = async (options: Partial<RedisOptions> & { url: string }, most = PATIENT): Promise<unknown> => {
  const store = redisStore({ connectTimeoutMs: 5000, commandTimeoutMs: 5000, ...options }, noLog)
  try {
    for (let tries = 0; tries < most; tries += 1) {
      const call = { script: 'return redis.call("GET", KEYS[1]) or ARGV[1]', keys: ['{a}:b'], args: ['none'] }
      const reply = await store.run(call).catch(() => undefined)
      if (reply !== undefined) return reply
      await sleep(25)
    }
    return 'away'
  } finally {
    await store.close()
  }
}

redis('connections to Redis (skipped where redis-server is missing)', () => {
  const encrypted = hasOpenssl ? test : test.skip

  encrypted('are encrypted and checked where tls is given (skipped where openssl is missing)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-redis-'))
    closing.push(() => rmSync(folder, { recursive: true, force: true }))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const names = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1']
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    spawnSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '2', ...names])
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert]
    const server = await startRedis('--tls-port', 'PORT', ...files)
    closing.push(() => server.kill())
    const url = server.url.replace('redis:', 'rediss:')
    const ca = readFileSync(cert, 'utf8')
    const mine = { ca, cert: ca, key: readFileSync(key, 'utf8') }
    expect(await ask({ url, tls: mine })).toBe('none')
    expect(await ask({ url, tls: { ca } }, SURE)).toBe('away')
    expect(await ask({ url, tls: { ...mine, serverName: 'other' } }, SURE)).toBe('away')
    expect(await ask({ url }, SURE)).toBe('away')
    expect(await ask({ url: server.url }, SURE)).toBe('away')
  })

  test('reach the node of a cluster that holds the keys', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-redis-'))
    closing.push(() => rmSync(folder, { recursive: true, force: true }))
    const server = await startRedis('--cluster-enabled', 'yes', '--dir', folder)
    closing.push(() => server.kill())
    const admin = createClient({ url: server.url })
    await admin.connect()
    await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
    for (let tries = 0; tries < 600; tries += 1) {
      const info = await admin.sendCommand(['CLUSTER', 'INFO'])
      if (JSON.stringify(info).includes('cluster_state:ok')) break
      await sleep(25)
    }
    await admin.set('{a}:b', 'here')
    await admin.close()
    expect(await ask({ url: server.url, cluster: true })).toBe('here')
  })

  test('are not kept after closing', async () => {
    const server = await startRedis()
    closing.push(() => server.kill())
    const store = redisStore({ url: server.url, connectTimeoutMs: 1000, commandTimeoutMs: 1000 }, noLog)
    await store.close()
    await store.close()
    await expect(store.run({ script: 'return 1', keys: [], args: [] })).rejects.toThrow('closed')
  })
})
