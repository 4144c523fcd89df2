import { afterEach, expect, test } from '@jest/globals'
import { get } from 'node:http'
import { noLog } from '../core/log.ts'
import { adminServer, type AdminOptions, type AdminServer } from './admin.ts'
import { exchange, statuses } from './test/start.ts'

let running: AdminServer | undefined
afterEach(async () => {
  await running?.close()
})

const startAdmin = async (overrides: Partial<AdminOptions> = {}): Promise<string> => {
  running = await adminServer({
    host: '127.0.0.1',
    port: 0,
    ready: () => [],
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    coverage: () => ({ routes: [] }),
    config: () => ({ server: {} }),
    drain: () => undefined,
    probes: [],
    drainFromHere: true,
    log: noLog,
    ...overrides,
  })
  return `http://127.0.0.1:${running.address.port}`
}

test('probes, metrics, coverage and configuration are at their pages', async () => {
  const base = await startAdmin()
  const pages = ['livez', 'readyz', 'healthz', 'metrics', 'coverage', 'config', 'drain']
  const answers = await Promise.all(pages.map((page) => fetch(`${base}/${page}`)))
  expect(answers.map(({ status }) => status)).toEqual(pages.map(() => 200))
  expect(answers[3]!.headers.get('content-type')).toBe('text/plain; version=0.0.4')
  expect(await answers[3]!.text()).toBe('up 1\n')
  expect(await answers[4]!.json()).toEqual({ routes: [] })
})

test('a guard that is not ready says why, and lives', async () => {
  const base = await startAdmin({ ready: () => ['policy: no bundle yet', 'draining'] })
  const answer = await fetch(`${base}/readyz`)
  expect(answer.status).toBe(503)
  expect(await answer.json()).toEqual({ ready: false, reasons: ['policy: no bundle yet', 'draining'] })
  expect((await fetch(`${base}/livez`)).status).toBe(200)
})

test('GET and POST drain, but not for web pages', async () => {
  let drains = 0
  const base = await startAdmin({ drain: () => (drains += 1) })
  await fetch(`${base}/drain`)
  await fetch(`${base}/drain`, { method: 'POST' })
  expect(drains).toBe(2)
  const port = Number(new URL(base).port)
  for (const header of ['Origin: http://evil.test', 'Sec-Fetch-Site: cross-site']) {
    expect(statuses(await exchange(port, `GET /drain HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`))).toEqual([
      403,
    ])
  }
  expect(drains).toBe(2)
})

test('anything else is refused', async () => {
  const base = await startAdmin()
  expect((await fetch(`${base}/nowhere`)).status).toBe(404)
  expect((await fetch(`${base}/constructor`)).status).toBe(404)
  expect((await fetch(`${base}/config?x=1`)).status).toBe(404)
  expect((await fetch(`${base}/config`, { method: 'DELETE' })).status).toBe(405)
  expect((await fetch(`${base}/drain`, { method: 'POST', body: 'x' })).status).toBe(400)
})

test('a page that fails is an error without details', async () => {
  const base = await startAdmin({ metrics: () => Promise.reject(new Error('inner')) })
  const answer = await fetch(`${base}/metrics`)
  expect(answer.status).toBe(500)
  expect(await answer.text()).not.toContain('inner')
})

test('in a pod, the drain is for the kubelet: the other containers cannot end the guard and take its port', async () => {
  let drained = 0
  const base = await startAdmin({ drainFromHere: false, drain: () => (drained += 1) })
  for (const method of ['GET', 'POST']) expect((await fetch(`${base}/drain`, { method })).status).toBe(403)
  // Asked from another address, as a kubelet asks from the node.
  const status = await new Promise<number | undefined>((done, failed) => {
    get(`${base}/drain`, { localAddress: '127.0.0.2' }, (answer) => done(answer.statusCode)).on(
      'error',
      failed,
    )
  })
  expect([status, drained]).toEqual([200, 1])
  expect((await fetch(`${base}/livez`)).status).toBe(200)
})
