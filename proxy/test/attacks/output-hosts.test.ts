import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chat, events, message, startAttacked, type Attacked } from './hostile.ts'

const LISTED = '![a](https://a.docs.example/x.png)'
const HOSTS = { links: { acme: ['*.docs.example'], '*': [] }, tools: { '*': ['10.0.0.5'] } }

let guard: Attacked
const folder = mkdtempSync(join(tmpdir(), 'postern-hosts-'))
beforeAll(async () => {
  const dataFile = join(folder, 'data.json')
  const data = JSON.parse(
    readFileSync(new URL('../../../policies/data.json', import.meta.url), 'utf8'),
  ) as object
  writeFileSync(dataFile, JSON.stringify({ ...data, hosts: HOSTS }))
  guard = await startAttacked({ config: { policy: { dataFile } } })
})
afterAll(async () => {
  await guard.close()
  rmSync(folder, { recursive: true, force: true })
})

test.each([
  ['a host below a listed one is fine, also beside one that is not', LISTED, true],
  ['the listed name itself is another host', '![a](https://docs.example/x.png)', false],
  ['a name that only ends alike is another host', '![a](https://evildocs.example/x.png)', false],
  ['a listed name as user or path is another host', '![a](https://a.docs.example@evil.example/x.png)', false],
])('%s', async (_, image, stays) => {
  const content = `${image} and ![b](https://evil.example/y)`
  for (const stream of [false, true]) {
    guard.behave(
      stream
        ? events(
            { choices: [{ index: 0, delta: { content } }] },
            { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
            '[DONE]',
          )
        : message({ content }),
    )
    const text = await (await guard.post(chat({ stream }), { role: 'user' })).text()
    expect([stream, text.includes(image)]).toEqual([stream, stays])
    expect(text).not.toContain('https://evil.example/y')
  }
})

test.each([
  ['an argument may name an address that is listed for tools', 'http://10.0.0.5/', true],
  ['and no other one', 'http://10.0.0.6/', false],
])('%s', async (_, url, may) => {
  const call = {
    id: 'c',
    type: 'function',
    function: { name: 'get_page', arguments: JSON.stringify({ url }) },
  }
  const tools = [{ type: 'function', function: { name: 'get_page' } }]
  for (const stream of [false, true]) {
    guard.behave(
      stream
        ? events(
            { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] } }] },
            { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
            '[DONE]',
          )
        : message({ content: null, tool_calls: [call] }),
    )
    const text = await (await guard.post(chat({ stream, tools }), { role: 'user' })).text()
    expect([stream, text.includes(url)]).toEqual([stream, may])
  }
})
