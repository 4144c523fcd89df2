import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openStore } from '../../report/store.ts'
import { command } from '../command.ts'
import { startVulnerableModel, type VulnerableModel } from '../model.ts'
import { startRelay } from './relay.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-tools-'))
let model: VulnerableModel
beforeAll(async () => {
  model = await startVulnerableModel()
  process.env['TOOL_TEST_KEY'] = 'key-of-the-target'
})
afterAll(async () => {
  await model.close()
  rmSync(folder, { recursive: true })
})

/** A program where a tool's interpreter would be: it gets the script, the report's path and the environment like the real one. */
const standIn = (name: string, script: string): string => {
  const tools = join(folder, name)
  mkdirSync(join(tools, 'art/bin'), { recursive: true })
  writeFileSync(join(tools, 'art/bin/python'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(tools, 'art/bin/python'), 0o755)
  return tools
}

const attack = async (tools: string, ...more: readonly string[]) => {
  let out = ''
  let err = ''
  const store = join(tools, 'store')
  const code = await command.run(
    [
      ...['--with', 'art', '--tools', tools, '--store', store, '--model', 'm'],
      ...['--target', model.url, '--key-env', 'TOOL_TEST_KEY', ...more],
    ],
    { out: (text) => void (out += text), err: (text) => void (err += text), terminal: false },
  )
  return { code, out, err, store }
}

const LINE = '{"family":"jailbreak","mutator":"plain","verdict":"resisted"}'

test('a tool gets a key of the relay and nothing of our environment', async () => {
  const seen = join(folder, 'seen')
  const tools = standIn('whole', `env > ${seen}; echo '${LINE}' > "$2"`)
  const { code, out, store } = await attack(tools)
  expect(out).toContain('art, guarded: 1 results')
  expect(code).toBe(0)
  const environment = readFileSync(seen, 'utf8')
  expect(environment).not.toContain('key-of-the-target')
  expect(environment).toMatch(/POSTERN_KEY=relay-.*\n/)
  expect(environment).not.toContain('TOOL_TEST_KEY')
  expect(openStore(store).runs()[0]).toMatchObject({ tool: 'art', toolVersion: 'unknown' })
})

test('a tool that fails half-way keeps what it has, and its run is no whole one', async () => {
  const tools = standIn('half', `echo '${LINE}' > "$2"; printf '{"fam' >> "$2"; echo it broke >&2; exit 3`)
  const { code, err, store } = await attack(tools)
  expect(code).toBe(1)
  expect(err).toContain('art failed with exit code 3')
  expect(err).toContain('it broke')
  const [run] = openStore(store).runs()
  expect(run?.unfinished).toBe('art failed with exit code 3')
  expect(run?.targets.guarded?.confusion.attack).toEqual({ blocked: 0, allowed: 1 })
})

test('a tool that does not end is ended, with all that it started', async () => {
  const tools = standIn('late', `echo '${LINE}' > "$2"; sleep 600 & sleep 600`)
  const { code, store } = await attack(tools, '--tool-timeout', '1')
  expect(code).toBe(1)
  expect(openStore(store).runs()[0]?.unfinished).toContain('art was ended after 1 s')
})

test('a tool without any result is an error, with its last words', async () => {
  const { code, err } = await attack(standIn('empty', 'echo no module named art >&2; exit 1'))
  expect(code).toBe(3)
  expect(err).toContain('no module named art')
})

test('of several tools one that fails is named in the report, which holds what the others found', async () => {
  const tools = standIn('both', `echo '${LINE}' > "$2"`)
  mkdirSync(join(tools, 'pyrit/bin'), { recursive: true })
  writeFileSync(join(tools, 'pyrit/bin/python'), '#!/bin/sh\necho no module named pyrit >&2; exit 1\n')
  chmodSync(join(tools, 'pyrit/bin/python'), 0o755)
  const report = join(tools, 'report.html')
  const { code, out, err, store } = await attack(tools, '--with', 'all', '--report', report)
  expect(code).toBe(3)
  expect(err).toContain('no module named pyrit')
  expect(err).toContain('garak is not installed')
  expect(out).toMatch(/^art unknown +0 of 1 through the guard$/m)
  const html = readFileSync(report, 'utf8')
  expect(html).toContain('None of 1 attacks got through the guard.')
  expect(html).toContain('pyrit gave no result, so nothing is known from it.')
  expect(html).toContain('garak is not installed, so it was not run.')
  expect(openStore(store).runs()).toHaveLength(1)
})

test('several tools have no common baseline', async () => {
  const { code, err } = await attack(join(folder, 'none'), '--with', 'art,pyrit', '--gate', 'x.json')
  expect(code).toBe(2)
  expect(err).toContain('--gate takes one tool')
})

test('the relay takes only its own key and only chat completions, and counts what failed', async () => {
  const relay = await startRelay({
    ...{ url: 'http://127.0.0.1:1', model: 'm', key: 'k', stream: false, timeoutMs: 2000, tools: [] },
  })
  const ask = async (path: string, key: string) =>
    (
      await fetch(`${relay.url}${path}`, {
        method: 'POST',
        body: '{}',
        headers: { authorization: `Bearer ${key}` },
      })
    ).status
  expect(await ask('/chat/completions', 'wrong')).toBe(401)
  expect(await ask('/embeddings', relay.key)).toBe(404)
  expect(await ask('/chat/completions', relay.key)).toBe(502)
  expect(relay.counts()).toEqual({ sent: 1, stopped: 0, failed: 1 })
  await relay.close()
})
