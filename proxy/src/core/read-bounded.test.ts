import { expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { readBounded } from './read-bounded.ts'

const pieces = [Buffer.from('ab'), new Uint8Array(0), Buffer.from('cde')]

test('a body comes whole up to the bound, and not at all one byte beyond', async () => {
  expect(await readBounded(Readable.from(pieces), 5)).toEqual(Buffer.from('abcde'))
  expect(await readBounded(pieces, 5)).toEqual(Buffer.from('abcde'))
  expect(await readBounded(Readable.from(pieces), 4)).toBeUndefined()
})

test('an empty body is empty bytes, not a body that is too large', async () => {
  expect(await readBounded([], 0)).toEqual(Buffer.alloc(0))
})

test('a character that is cut between chunks is whole again', async () => {
  const bytes = Buffer.from('é')
  expect(String(await readBounded([bytes.subarray(0, 1), bytes.subarray(1)], 2))).toBe('é')
})

test('a body without end is read little further than the bound, and then destroyed', async () => {
  let sent = 0
  const body = new Readable({
    highWaterMark: 10,
    read() {
      sent += 10
      this.push(Buffer.alloc(10))
    },
  })
  expect(await readBounded(body, 100)).toBeUndefined()
  expect(body.destroyed).toBe(true)
  expect(sent).toBeLessThan(200)
})

test('a web stream that sends too much is cancelled', async () => {
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => void (cancelled = true),
  })
  expect(await readBounded(body, 100)).toBeUndefined()
  expect(cancelled).toBe(true)
})

test('a body that breaks off is an error, never a shorter body', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': '10' })
    response.write('half', () => response.destroy())
  }).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const asked = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    await expect(readBounded(answer, 100)).rejects.toThrow('aborted')
  } finally {
    server.close()
  }
})
