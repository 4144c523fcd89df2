import { createServer, type Server } from 'node:http'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTestGuard, type TestGuard } from '../../../proxy/test/start.ts'
import { openStore } from '../report/store.ts'
import { command } from './command.ts'
import { startVulnerableModel, type VulnerableModel } from './model.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-attack-'))
let model: VulnerableModel
let guard: TestGuard
beforeAll(async () => {
  model = await startVulnerableModel()
  guard = await startTestGuard({ upstream: model.url })
  process.env['ATTACK_TEST_KEY'] = guard.keys.admin
})
afterAll(async () => {
  await guard.close()
  await model.close()
  rmSync(folder, { recursive: true })
})

const attack = async (...args: readonly string[]) => {
  let out = ''
  let err = ''
  const code = await command.run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    terminal: false,
  })
  return { code, out, err }
}

const both = () => [
  ...['--target', guard.url, '--bare', model.url, '--model', 'demo-small', '--key-env', 'ATTACK_TEST_KEY'],
  ...['--store', join(folder, 'store'), '--concurrency', '4'],
]

const received = async (): Promise<{ server: Server; url: string; bodies: string[] }> => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = `${request.method ?? ''} ${request.url ?? ''}\n`
    request.on('data', (chunk: Buffer) => void (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(body)
      response.end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies }
}

test('a run measures what the guard changes, keeps it, reports it, pushes it and can be gated and replayed', async () => {
  const pushed = await received()
  const baseline = join(folder, 'baseline.json')
  const report = join(folder, 'report.html')
  const first = await attack(
    ...both(),
    ...['--attacks', '120', '--fuzz', '24', '--report', report, '--push', pushed.url],
    ...['--gate', baseline, '--update-baseline'],
  )
  pushed.server.close()
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).toContain('got through the guard')
  const [record] = openStore(join(folder, 'store')).runs()
  const through = Object.values(record?.targets.guarded?.families ?? {}).reduce(
    (sum, { successes }) => sum + successes,
    0,
  )
  const open = Object.values(record?.targets.bare?.families ?? {}).reduce(
    (sum, { successes }) => sum + successes,
    0,
  )
  expect(open).toBeGreaterThan(110)
  expect(through).toBeLessThan(open)
  expect(record?.targets.guarded?.errors).toBe(0)
  expect(record?.targets.guarded?.confusion.attack.blocked).toBeGreaterThan(0)
  expect(readFileSync(report, 'utf8')).toContain('<svg')
  expect(pushed.bodies[0]).toMatch(
    /^PUT \/metrics\/job\/postern_sec\/tool\/postern\/model\/demo-small\/run\/attack\n/,
  )
  expect(pushed.bodies[0]).toContain('postern_sec_successes{target="bare",family="jailbreak"}')

  const again = await attack(...both(), '--attacks', '120', '--gate', baseline)
  expect(again).toMatchObject({ code: 0, err: '' })
  expect(again.out).toContain('gate: holds')

  const bar = JSON.parse(readFileSync(baseline, 'utf8')) as { families: Record<string, number> }
  writeFileSync(
    baseline,
    JSON.stringify({
      ...bar,
      families: Object.fromEntries(Object.keys(bar.families).map((name) => [name, 0])),
    }),
  )
  const worse = await attack(...both(), '--attacks', '120', '--gate', baseline)
  expect(worse.code).toBe(1)
  expect(worse.out).toMatch(/gate: \w+ got worse/)
  const refused = await attack(...both(), '--attacks', '120', '--gate', baseline, '--update-baseline')
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('--force --reason')
  const forced = await attack(
    ...both(),
    ...[
      '--attacks',
      '120',
      '--gate',
      baseline,
      '--update-baseline',
      '--force',
      '--reason',
      'a rule was too eager',
    ],
  )
  expect(forced.code).toBe(0)
  expect(readFileSync(baseline, 'utf8')).toContain('a rule was too eager')

  const worked = join(folder, 'store', `worked-${record?.id ?? ''}.json`)
  const replayed = await attack(...both(), '--replay', worked)
  expect(replayed.code).toBe(1)
  expect(openStore(join(folder, 'store')).runs().at(-1)?.replayed?.allowed).toBeGreaterThan(0)
}, 120_000)

test('streamed answers are judged like whole ones', async () => {
  const whole = await attack(
    '--target',
    model.url,
    '--model',
    'm',
    '--attacks',
    '60',
    '--store',
    join(folder, 'a'),
  )
  const streamed = await attack(
    '--target',
    model.url,
    '--model',
    'm',
    '--attacks',
    '60',
    '--store',
    join(folder, 'b'),
    '--stream',
  )
  expect(whole.out.split('\n')[0]).toMatch(/^\d+ of 60 attacks got through/)
  expect(streamed.out.split('\n')[0]).toBe(whole.out.split('\n')[0])
}, 60_000)

test('a target that is not there proves nothing: the run fails', async () => {
  const { code, out } = await attack(
    ...['--target', 'http://127.0.0.1:1', '--model', 'm', '--attacks', '10', '--store', join(folder, 'c')],
  )
  expect(code).not.toBe(0)
  expect(out).toContain('requests failed')
})

test.each([
  [['--model', 'm'], 'give --target and --model'],
  [['--demo', '--families', 'magic'], 'no family "magic"'],
  [['--demo', '--attacks', 'many'], '--attacks takes a whole number'],
  [['--demo', '--with', 'nessus'], '--with takes all, or some of'],
])('%j is answered with what to write', async (args, message) => {
  const { code, err } = await attack(...args)
  expect(code).toBe(2)
  expect(err).toContain(message)
})

test('a foreign tool that is not installed is not started: the answer says how to install it', async () => {
  const { code, err } = await attack(
    '--target',
    model.url,
    '--model',
    'm',
    '--with',
    'garak',
    '--tools',
    folder,
  )
  expect(code).toBe(2)
  expect(err).toMatch(/pip install -r .*garak\/requirements.txt +# garak==0.17.1/)
})
