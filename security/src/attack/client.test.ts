import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { guarding } from './answer.ts'
import type { Attack } from './attack.ts'
import { chatUrl, send } from './client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const attack: Attack = {
  id: 'a',
  family: 'jailbreak',
  seed: 's',
  mutators: [],
  goal: 'marker',
  messages: [{ role: 'user', content: 'hello' }],
  tools: false,
}

const answered = async (listener: RequestListener) => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return send({ url, model: 'm', stream: false, timeoutMs: 5000, tools: [] }, attack)
}

test.each([
  ['http://guard:8080', '/v1/chat/completions'],
  ['http://guard:8080/', '/v1/chat/completions'],
  ['http://guard:8080/v1', '/v1/chat/completions'],
  ['https://host/openai/v1/', '/openai/v1/chat/completions'],
])('%s is asked at %s', (base, path) => {
  expect(chatUrl(base).pathname).toBe(path)
})

test('an address that is not of http is refused', () => {
  expect(() => chatUrl('file:///etc/passwd')).toThrow('http://')
})

test('overload is waited out, not counted as a guard that blocks', async () => {
  let asked = 0
  const answer = await answered((_, response) => {
    asked += 1
    if (asked < 3) response.writeHead(429, { 'retry-after-ms': '20' }).end()
    else response.end(JSON.stringify({ choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] }))
  })
  expect(asked).toBe(3)
  expect(answer).toMatchObject({ status: 200, text: 'hi' })
})

test.each([
  [{ status: 400, body: { error: { code: 'content_filter' } } }, 'blocked'],
  [{ status: 403, body: { error: { type: 'permission_error' } } }, 'blocked'],
  [
    { status: 200, body: { choices: [{ message: { content: '' }, finish_reason: 'content_filter' }] } },
    'blocked',
  ],
  [{ status: 200, body: { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] } }, 'passed'],
  [{ status: 400, body: { error: { code: 'context_length_exceeded' } } }, 'error'],
  [{ status: 401, body: { error: { code: 'unauthenticated' } } }, 'error'],
  [{ status: 503, body: { error: { code: 'guard_unavailable' } } }, 'error'],
])('%j is read as %s', async ({ status, body }, expected) => {
  const answer = await answered((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  expect(guarding(answer)).toBe(expected)
})

test('a redirect is not followed: it would carry the key along', async () => {
  const answer = await answered((_, response) =>
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  )
  expect(answer.status).toBe(0)
})

test('a stream is put together, tool calls included', async () => {
  const event = (delta: object) => `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`
  const call = (more: object) => ({ tool_calls: [{ index: 0, function: more }] })
  const answer = await answered((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      `${event({ content: 'am' })}${event({ content: 'ber' })}${event(call({ name: 'send_mail', arguments: '{"to":' }))}${event(call({ arguments: '"x"}' }))}data: [DONE]\n\n`,
    )
  })
  expect(answer.text).toBe('amber')
  expect(answer.tools).toEqual([{ name: 'send_mail', arguments: '{"to":"x"}' }])
})
