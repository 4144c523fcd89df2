import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PolicyInput } from '../../src/core/policy.ts'
import { chat, events, message, SECRET, startAttacked, type Attacked } from './hostile.ts'

const ALLOW = { allow: true, obligations: {}, reasons: [] }
const actions = (rules: object, categories: object) => ({ rules, categories, default: 'ignore' })

/** A policy of somebody's own: one tool may not be given a path, and one may be given no secret at all. */
const decide = ({ stage, tool }: PolicyInput): object => {
  if (stage !== 'tool_call') return { ...ALLOW, actions: actions({}, {}) }
  if (tool?.name === 'read_file' && tool.arguments.includes('path'))
    return { allow: false, reasons: ['no_path'] }
  return tool?.name === 'publish'
    ? { ...ALLOW, actions: actions({}, { secret: 'block' }) }
    : { ...ALLOW, actions: actions({ 'aws-access-key': 'redact' }, {}) }
}

let opa: Server
let guard: Attacked
beforeAll(async () => {
  opa = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.once('end', () => {
      const limits = { caller: {}, tenant: {}, model: {} }
      const { input } = JSON.parse(Buffer.concat(pieces).toString() || '{}') as { input: PolicyInput }
      const result = request.url?.includes('limits') === true ? limits : decide(input)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ result }))
    })
  })
  await new Promise<void>((resolve) => opa.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(opa.address() as AddressInfo).port}`
  guard = await startAttacked({ config: { policy: { engine: 'opa', url, timeout: '5s' } } })
})
afterAll(async () => {
  await guard.close()
  opa.closeAllConnections()
  await new Promise((resolve) => opa.close(resolve))
})

const called = (name: string, said: string): object => ({
  id: name,
  type: 'function',
  function: { name, arguments: said },
})

test('beside a tool that may be given a redacted secret, one that may be given none still stops the answer', async () => {
  const secret = JSON.stringify({ a: SECRET })
  guard.behave(message({ content: null, tool_calls: [called('store', '{}'), called('publish', secret)] }))
  const both = await (await guard.post(chat())).text()
  expect([both.includes('content_filter'), both.includes('publish')]).toEqual([true, false])
  guard.behave(message({ content: null, tool_calls: [called('store', secret)] }))
  expect(await (await guard.post(chat())).text()).toContain('REDACTED_AWS_ACCESS_KEY')
})

test.each([
  ['plainly', '{"path":"/etc/passwd"}'],
  ['twice', '{"path":"/etc/passwd","path":"/etc/passwd"}'],
  ['beside a number that not all parsers can hold', '{"path":"/etc/passwd","n":12345678901234567890}'],
  ['under an escaped name', '{"\\u0070ath":"/etc/passwd"}'],
  ['with white space around', ' \n{ "path" : "/etc/passwd" } '],
])('policy sees the name of an argument that is given %s', async (_how, said) => {
  guard.behave(message({ content: null, tool_calls: [called('read_file', said)] }))
  expect(await (await guard.post(chat())).text()).not.toContain('read_file')
  const delta = { tool_calls: [{ index: 0, ...called('read_file', said) }] }
  guard.behave(events({ choices: [{ index: 0, delta }] }, '[DONE]'))
  expect(await (await guard.post(chat({ stream: true }))).text()).not.toContain('read_file')
})
