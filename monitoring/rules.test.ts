import { expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { stale } from './build.ts'
import { boards } from './dashboards/all.ts'
import { isInstalled } from './demo/prometheus.ts'
import { alerts } from './rules/all.ts'

const HERE = import.meta.dirname
const read = (name: string): string => readFileSync(join(HERE, name), 'utf8')
const when = (program: string, from: string) =>
  isInstalled(program)
    ? { run: test, why: '' }
    : { run: test.skip, why: ` (skipped: no ${program} on the PATH; Debian has it in the package ${from})` }

const TESTS = ['rules.test.yaml', 'rules-slow.test.yaml', 'rules-days.test.yaml']
const promtool = when('promtool', 'prometheus')
const amtool = when('amtool', 'prometheus-alertmanager')

test('the generated dashboards and rules are what the sources say', () => {
  expect(stale()).toEqual([])
})

promtool.run.each(TESTS)(
  `every alert in %s fires where it should and stays quiet elsewhere${promtool.why}`,
  (file) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], {
      cwd: HERE,
      encoding: 'utf8',
    })
    expect({ status, said: `${stdout}${stderr}` }).toMatchObject({ status: 0 })
  },
  180_000,
)

amtool.run(`Alertmanager takes the routes${amtool.why}`, () => {
  const { status, stderr } = spawnSync('amtool', ['check-config', 'alertmanager.yaml'], {
    cwd: HERE,
    encoding: 'utf8',
  })
  expect({ status, stderr }).toMatchObject({ status: 0 })
})

test('every alert has a test and nothing else has', () => {
  const tested = TESTS.flatMap((file) =>
    (parse(read(file)) as { tests: { name: string }[] }).tests.map(({ name }) => name),
  )
  expect(tested.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
})

const logAlerts = (
  parse(read('loki-rules.yaml')) as { groups: { rules: { alert: string }[] }[] }
).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))

test('every alert has a runbook with all its parts, and no runbook is left over', () => {
  const names = [...alerts.map(({ alert }) => alert), ...logAlerts]
  expect(readdirSync(join(HERE, 'runbooks')).toSorted()).toEqual(names.map((name) => `${name}.md`).toSorted())
  for (const name of names) {
    const headings = [...read(`runbooks/${name}.md`).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual([name, 'What it means', 'What users see', 'What to look at', 'How to end it'])
  }
})

test('every label that a summary shows is one that its query keeps', () => {
  const kept = /namespace|pod|instance|job/
  for (const { alert, expr, summary } of alerts) {
    for (const [, label = ''] of summary.matchAll(/\$labels\.(\w+)/g)) {
      expect([alert, label, kept.test(label) || expr.includes(label)]).toEqual([alert, label, true])
    }
  }
})

test('dashboards have fixed and different addresses, and every panel says what it means', () => {
  expect(new Set(boards.map(({ uid }) => uid)).size).toBe(boards.length)
  for (const panel of boards.flatMap(({ rows }) => rows.flatMap(({ panels }) => panels))) {
    expect(panel.says).toMatch(/^.{16,}\.$/s)
    expect(panel.width).toBeLessThanOrEqual(24)
  }
})

/** Sections open and close in order, and every buffer is a file that blocks rather than drops. */
test('the Fluentd configuration is well formed, and none of its buffers loses anything', () => {
  const maps = parseAllDocuments(read('fluentd-config.yaml')).map(
    (document) => document.toJS() as { kind: string; data: Record<string, string> },
  )
  const sources = maps.flatMap(({ data }) => Object.values(data))
  expect(sources).toHaveLength(2)
  const buffers = sources.flatMap(buffersOf)
  expect(buffers.length).toBeGreaterThanOrEqual(3)
  const paths = buffers.map((buffer) => /^path (.*)$/m.exec(buffer)?.[1])
  expect(new Set(paths).size).toBe(buffers.length)
  for (const buffer of buffers) {
    expect(buffer).toMatch(/^@type file$/m)
    expect(buffer).toMatch(/^overflow_action block$/m)
    expect(buffer).toMatch(/^retry_forever true$/m)
  }
})

const buffersOf = (source: string): readonly string[] => {
  const open: string[] = []
  const buffers: string[] = []
  for (const raw of source.split('\n')) {
    const line = raw.trim()
    const [, end, name = ''] = /^<(\/?)([a-z]+)(?: [^<>]*)?>$/.exec(line) ?? []
    if (end === '/') expect(open.pop()).toBe(name)
    else if (end === '') {
      open.push(name)
      if (name === 'buffer') buffers.push('')
    } else if (open.at(-1) === 'buffer') buffers.push(`${buffers.pop() ?? ''}${line}\n`)
    else expect(line === '' || /^(#|@?[a-z_]+ \S)/.test(line)).toBe(true)
  }
  expect(open).toEqual([])
  return buffers
}

test('what docker compose mounts exists', () => {
  const mounts = [...read('docker-compose.yml').matchAll(/^\s+- (\.\/monitoring\/[^:]+):/gm)].map(
    ([, path = '']) => path,
  )
  expect(mounts.length).toBeGreaterThan(5)
  expect(mounts.filter((path) => !existsSync(join(HERE, '..', path)))).toEqual([])
})

test('every file that a command of the READMEs names exists', () => {
  const readmes = ['README.md', 'llmsecops_demo/README.md'].map(read).join('\n')
  const blocks = [...readmes.matchAll(/^```sh\n(.*?)^```/gms)].map(([, commands = '']) => commands).join('\n')
  const files = [...blocks.matchAll(/(?:^|\s)((?:monitoring\/)?[\w./-]+\.(?:ts|yml|ndjson))\b/gm)].map(
    ([, path = '']) => path,
  )
  expect(files.length).toBeGreaterThan(5)
  expect(files.filter((path) => !existsSync(join(HERE, '..', path)))).toEqual([])
})
