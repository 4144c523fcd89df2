import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KubeConfig } from '@kubernetes/client-node'
import { afterEach, expect, test } from '@jest/globals'
import { noLog } from '../../core/log.ts'
import { kubeApi, type KubeApi, type KubeObject } from './api.ts'
import { startInformer } from './informer.ts'

type Answer = (url: URL, response: ServerResponse) => void

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const apiServer = async (answer: Answer): Promise<KubeApi> => {
  const server = createServer((request: IncomingMessage, response) => {
    answer(new URL(request.url ?? '/', 'http://localhost'), response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const kube = new KubeConfig()
  kube.loadFromOptions({
    // the client takes plain HTTP only so
    clusters: [
      {
        name: 'c',
        server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        skipTLSVerify: true,
      },
    ],
    users: [{ name: 'u' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  })
  return kubeApi(kube)
}

const object = (name: string, resourceVersion: string): object => ({ metadata: { name, resourceVersion } })
const list = (version: string, ...items: readonly object[]): string =>
  JSON.stringify({ metadata: { resourceVersion: version }, items })
const event = (type: string, what: object): string => `${JSON.stringify({ type, object: what })}\n`

const follow = (api: KubeApi) => {
  let wake: () => void = () => undefined
  const informer = startInformer<KubeObject, string>({
    ...{ api, path: '/things', labelSelector: 'a=b', log: noLog },
    keep: ({ metadata }) => metadata.name,
    onChange: () => wake(),
  })
  ends.unshift(() => informer.close())
  const until = async (expected: readonly string[]): Promise<void> => {
    while (informer.list().join() !== expected.join()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { informer, until }
}

test('pages are read to the end, and events follow from there, also when cut in the middle', async () => {
  const asked: string[] = []
  const api = await apiServer((url, response) => {
    asked.push(url.search)
    if (url.searchParams.has('watch')) {
      const line = event('ADDED', object('c', '11'))
      response.write(line.slice(0, 20))
      setTimeout(() => response.write(line.slice(20) + event('DELETED', object('a', '12'))), 20)
    } else if (url.searchParams.get('continue') === null) {
      response.end(
        JSON.stringify({ metadata: { resourceVersion: '10', continue: 'x' }, items: [object('a', '1')] }),
      )
    } else response.end(list('10', object('b', '2')))
  })
  const { informer, until } = follow(api)
  await until(['b', 'c'])
  expect(informer.synced()).toBe(true)
  expect(informer.get('', 'b')).toBe('b')
  expect(asked[1]).toContain('labelSelector=a%3Db&limit=500&continue=x')
  expect(asked[2]).toContain('resourceVersion=10')
})

test('a watch that ends goes on where it was; 410 Gone lists anew', async () => {
  const watched: (string | null)[] = []
  let lists = 0
  const api = await apiServer((url, response) => {
    if (!url.searchParams.has('watch')) {
      lists++
      response.end(lists === 1 ? list('1', object('a', '1')) : list('50', object('z', '40')))
      return
    }
    watched.push(url.searchParams.get('resourceVersion'))
    if (watched.length === 1) response.end(event('BOOKMARK', object('', '7')))
    else if (watched.length === 2) response.end(event('ERROR', { code: 410 }))
    else response.write(event('ADDED', object('y', '51')))
  })
  const { until } = follow(api)
  await until(['z', 'y'])
  expect(watched).toEqual(['1', '7', '50'])
  expect(lists).toBe(2)
})

test('an API server that refuses is asked again later, and what was known stays', async () => {
  let calls = 0
  const api = await apiServer((url, response) => {
    calls++
    if (calls === 1) response.writeHead(500).end('{"message":"not now"}')
    else if (!url.searchParams.has('watch')) response.end(list('1', object('a', '1')))
    else response.writeHead(403).end('{}')
  })
  const { informer, until } = follow(api)
  await until(['a'])
  expect(calls).toBeGreaterThan(1)
  await informer.close()
  expect(informer.list()).toEqual(['a'])
})

test('a refusal has the status, what was asked for and the reason, not the whole answer', async () => {
  const api = await apiServer((_, response) => {
    response.writeHead(409).end(JSON.stringify({ message: 'the object has been modified', secret: 'x' }))
  })
  const { signal } = new AbortController()
  await expect(api.call({ method: 'PUT', path: '/things/a?b=c', body: {}, signal })).rejects.toMatchObject({
    status: 409,
    message: 'PUT /things/a: 409 the object has been modified',
  })
})
