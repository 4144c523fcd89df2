import { expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { streams } from './streams.ts'
import { h } from './tree.ts'

test('a reader that does not read is cut off, and holds little until then', async () => {
  const big = 'x'.repeat(256 * 1024)
  let made = 0
  let unread = 0
  const source = { news: () => ({ after: (made += 1), rows: [], parts: [h('p', {}, big)], more: false }) }
  const open = streams({ source, everyMs: 5, stalledMs: 200 })
  const server = createServer((request, response) => {
    open.open({ request, response }, new URLSearchParams(), () => {
      unread = Math.max(unread, response.writableLength)
      return true
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'connect')
  while (open.readers === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  while (open.readers > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(unread).toBeLessThan(64 * 1024 + 2 * big.length)
  const after = made
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(made).toBe(after)
  socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})
