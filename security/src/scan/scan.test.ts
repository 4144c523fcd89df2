import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-scan-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What each scanner prints in this test. The scanners are stand-ins that print it: their databases are no files of this repository. */
const path = process.env['PATH']
let programs = ''
beforeEach(() => {
  programs = mkdtempSync(join(folder, 'programs-'))
  process.env['PATH'] = programs
})
afterEach(() => {
  process.env['PATH'] = path
})

const standIn = (program: string, answer: { readonly code: number; readonly report: unknown }): void => {
  const file = join(programs, program)
  const printed = typeof answer.report === 'string' ? answer.report : JSON.stringify(answer.report)
  writeFileSync(
    file,
    `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(printed)})\nprocess.exitCode = ${answer.code}\n`,
  )
  chmodSync(file, 0o755)
}

const scan = async (...args: readonly string[]) => {
  let out = ''
  const say = (text: string): void => void (out += text)
  const code = await command.run(args, { out: say, err: say, terminal: false })
  return { code, out }
}

const lockFile = (packages: Readonly<Record<string, object>>): string => {
  const file = join(mkdtempSync(join(folder, 'lock-')), 'package-lock.json')
  const all = { '': { name: 'shop', version: '1.0.0' }, ...packages }
  writeFileSync(file, JSON.stringify({ name: 'shop', lockfileVersion: 3, packages: all }, undefined, 2))
  return file
}

const lock = (): string => lockFile({ 'node_modules/leftish': { version: '1.0.0', license: 'MIT' } })

interface Weakness {
  readonly id?: string
  readonly score?: string
  readonly fixed?: string
  readonly groups?: readonly string[]
  readonly aliases?: readonly string[]
}

const osvReport = (...found: readonly Weakness[]) => ({
  results: [
    {
      source: { path: 'package-lock.json', type: 'lockfile' },
      packages: found.map(
        ({ id = 'GHSA-aaaa-bbbb-cccc', score = '9.8', fixed, groups = [], aliases = [] }) => ({
          package: { name: 'leftish', version: '1.0.0', ecosystem: 'npm' },
          dependency_groups: groups,
          vulnerabilities: [
            {
              id,
              affected: [
                {
                  package: { ecosystem: 'npm', name: 'leftish' },
                  ranges: [
                    {
                      type: 'SEMVER',
                      events: [{ introduced: '0' }, ...(fixed === undefined ? [] : [{ fixed }])],
                    },
                  ],
                },
              ],
            },
          ],
          groups: [{ ids: [id], aliases: [id, ...aliases], max_severity: score }],
        }),
      ),
    },
  ],
})

test('a weakness that somebody has fixed fails the scan; what is not fixed, not shipped or low does not, and is told', async () => {
  standIn('osv-scanner', { code: 1, report: osvReport({ fixed: '1.0.1' }) })
  const bad = await scan('--lock', lock())
  expect(bad.code).toBe(1)
  expect(bad.out).toMatch(/FAILS: critical GHSA-aaaa-bbbb-cccc in leftish 1\.0\.0; fixed in 1\.0\.1/)

  const harmless: readonly (readonly [Weakness, string])[] = [
    [{}, 'nobody has fixed it yet'],
    [{ fixed: '2.0.0', score: '5.3' }, 'below high'],
    [{ fixed: '2.0.0', groups: ['dev'] }, 'not shipped'],
  ]
  for (const [weakness, why] of harmless) {
    standIn('osv-scanner', { code: 1, report: osvReport(weakness) })
    const { code, out } = await scan('--lock', lock())
    expect([code, out]).toEqual([0, expect.stringContaining(why)])
  }
})

test('what is malicious or not rated by anybody fails, and the switches make the rest fail', async () => {
  const fails: readonly (readonly [Weakness, ...string[]])[] = [
    [{ id: 'MAL-2026-1', score: '' }],
    [{ fixed: '2.0.0', score: '' }],
    [{}, '--unfixed'],
    [{ fixed: '2.0.0', score: '5.3' }, '--severity', 'medium'],
    [{ fixed: '2.0.0', groups: ['dev'] }, '--dev'],
  ]
  for (const [weakness, ...args] of fails) {
    standIn('osv-scanner', { code: 1, report: osvReport(weakness) })
    expect([weakness, (await scan('--lock', lock(), ...args)).code]).toEqual([weakness, 1])
  }
})

test('a scanner that fails or prints something else is a failed scan, never a clean one', async () => {
  for (const answer of [
    { code: 127, report: osvReport() },
    { code: 0, report: 'panic: out of memory' },
    { code: 0, report: {} },
  ]) {
    standIn('osv-scanner', answer)
    const { code, out } = await scan('--lock', lock())
    expect([code, out]).toEqual([1, expect.stringMatching(/^lock file +failed .*osv-scanner/m)])
  }
})

test('without a scanner the step is skipped by name, and fails when the scan must be complete', async () => {
  const skipped = await scan('--lock', lock())
  expect([skipped.code, skipped.out]).toEqual([
    0,
    expect.stringMatching(/^lock file +skipped .*osv-scanner is missing/m),
  ])
  expect((await scan('--lock', lock(), '--complete')).code).toBe(1)
})

test('npm audit stands in for osv-scanner; an answer that is no report is a skip', async () => {
  const via = {
    source: 1,
    title: 'Prototype pollution',
    url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
    severity: 'high',
    range: '<1.0.1',
  }
  standIn('npm', {
    code: 1,
    report: {
      auditReportVersion: 2,
      vulnerabilities: {
        leftish: { name: 'leftish', severity: 'high', via: [via], fixAvailable: true },
        above: { name: 'above', severity: 'high', via: ['leftish'], fixAvailable: true },
      },
    },
  })
  const { code, out } = await scan('--lock', lock())
  expect([code, out.match(/FAILS.*/g)]).toEqual([
    1,
    ['FAILS: high GHSA-aaaa-bbbb-cccc in leftish <1.0.1; fixed in npm audit fix'],
  ])
  standIn('npm', { code: 1, report: { message: '405 Method Not Allowed' } })
  expect((await scan('--lock', lock())).out).toMatch(/^lock file +skipped .*gives npm audit no report/m)
})

test('an image is looked at by grype, and its findings are shown at the file it is built from', async () => {
  standIn('osv-scanner', { code: 0, report: osvReport() })
  standIn('grype', {
    code: 0,
    report: {
      matches: [
        {
          vulnerability: { id: 'CVE-2026-1', severity: 'High', fix: { versions: ['3.0.2'], state: 'fixed' } },
          artifact: { name: 'openssl', version: '3.0.1', type: 'deb' },
        },
        {
          vulnerability: {
            id: 'CVE-2026-2',
            severity: 'Critical',
            fix: { versions: [], state: 'not-fixed' },
          },
          artifact: { name: 'zlib', version: '1.2', type: 'deb' },
        },
      ],
    },
  })
  const sarif = join(folder, 'image.sarif')
  const { code, out } = await scan('--lock', lock(), '--image', 'shop:1=Dockerfile', '--sarif', sarif)
  expect(code).toBe(1)
  expect(out.match(/Dockerfile: .*/g)).toEqual([
    'Dockerfile: FAILS: high CVE-2026-1 in openssl 3.0.1; fixed in 3.0.2',
    'Dockerfile: passes: critical CVE-2026-2 in zlib 1.2; fixed in nothing yet; nobody has fixed it yet',
  ])
  const { runs } = JSON.parse(readFileSync(sarif, 'utf8')) as {
    runs: { results: { ruleId: string; level: string; locations: unknown[] }[] }[]
  }
  expect(runs[0]?.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
    ['vulnerable-package', 'error'],
    ['vulnerable-package-tolerated', 'note'],
  ])
  expect(runs[0]?.results[0]?.locations).toMatchObject([
    { physicalLocation: { artifactLocation: { uri: 'Dockerfile' }, region: { startLine: 1 } } },
  ])
})

const exceptions = (text: string): string => {
  const file = join(mkdtempSync(join(folder, 'exceptions-')), 'exceptions.yaml')
  writeFileSync(file, text)
  return file
}
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
const REASON = 'The parser it is in reads nothing from outside.'

test('an exception lets one weakness pass until its last day, by any of its names', async () => {
  standIn('osv-scanner', { code: 1, report: osvReport({ fixed: '2.0.0', aliases: ['CVE-2026-7'] }) })
  const until = (day: string, id = 'CVE-2026-7', more = '') =>
    scan(
      ...['--lock', lock(), '--exceptions'],
      exceptions(`exceptions:\n- { id: ${id}, reason: ${REASON}, until: ${day}${more} }\n`),
    )
  expect((await until(inDays(0))).code).toBe(0)
  const ended = await until(inDays(-1))
  expect([ended.code, ended.out]).toEqual([1, expect.stringContaining('its exception ended')])
  expect((await until(inDays(9), 'CVE-2026-7', ', package: rightish')).code).toBe(1)
  const other = await until(inDays(9), 'CVE-2026-8')
  expect([other.code, other.out]).toEqual([1, expect.stringContaining('for CVE-2026-8 until')])
  standIn('osv-scanner', { code: 127, report: {} })
  expect((await until(inDays(9))).out).not.toContain('covers nothing')
})

test.each([
  ['{}', 'has no list "exceptions"'],
  [`exceptions: [{ id: CVE-1, until: ${inDays(9)} }]`, 'exception 1: say in reason'],
  [`exceptions: [{ reason: ${REASON}, until: ${inDays(9)} }]`, 'exception 1: name the weakness in id'],
  [`exceptions: [{ id: CVE-1, reason: ${REASON} }]`, 'exception 1: write a day in until'],
  [`exceptions: [{ id: CVE-1, reason: ${REASON}, until: ${inDays(400)} }]`, 'more than 180 days away'],
  [`exceptions: [{ id: CVE-1, reason: ${REASON}, until: ${inDays(9)}, pakage: a }]`, 'does not know pakage'],
])('an exceptions file %s is wrong use', async (text, message) => {
  const { code, out } = await scan('--lock', lock(), '--exceptions', exceptions(text))
  expect([code, out]).toEqual([2, expect.stringContaining(message)])
})

test('a shipped package without an allowed licence fails; one that is not shipped, or leaves a choice, does not', async () => {
  const file = lockFile({
    'node_modules/a': { version: '1.0.0', license: '(MIT OR GPL-3.0-only)' },
    'node_modules/b': { version: '1.0.0', license: 'MIT AND AGPL-3.0-only' },
    'node_modules/c': { version: '1.0.0', license: 'GPL-2.0-only', dev: true },
    'node_modules/@scope/d': { version: '1.0.0' },
    'node_modules/a/node_modules/e': { version: '2.0.0', license: '(MIT' },
  })
  const sarif = join(folder, 'licences.sarif')
  const { code, out } = await scan('--lock', file, '--sarif', sarif)
  expect(code).toBe(1)
  expect(out.match(/FAILS: .*/g)).toEqual([
    'FAILS: b 1.0.0 has the licence MIT AND AGPL-3.0-only',
    'FAILS: @scope/d 1.0.0 has no licence',
    'FAILS: e 2.0.0 has the licence (MIT',
  ])
  const line =
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((each) => each.includes('"node_modules/b"')) + 1
  expect(readFileSync(sarif, 'utf8')).toContain(`"startLine": ${line}`)
})

test('every bill of materials is a file; what no program makes is a skip', async () => {
  const bom = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ name: 'a' }, { name: 'b' }] }
  standIn('syft', { code: 0, report: bom })
  const out = join(folder, 'bom')
  const said = await scan('--lock', lock(), '--bom', out, '--image', 'registry.example/shop:1=Dockerfile')
  expect(said.out).toMatch(/^bill of registry.example\/shop:1 +passed .*2 components/m)
  expect(said.out).toMatch(/^bill of materials +skipped .*npm is missing/m)
  expect(JSON.parse(readFileSync(join(out, 'registry.example_shop_1.cdx.json'), 'utf8'))).toEqual(bom)
})

test.each([
  [['--severity', 'bad'], '--severity takes'],
  [['--lock', 'nowhere.json'], 'there is no nowhere.json'],
  [['--image=--rm'], '--image takes'],
  [['--image', 'a=nowhere'], 'there is no nowhere'],
])('%j is wrong use', async (args, message) => {
  const { code, out } = await scan(...args)
  expect([code, out]).toEqual([2, expect.stringContaining(message)])
})
