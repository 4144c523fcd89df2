import { expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { charts } from './charts.ts'
import { aws } from './environments/aws.ts'
import { azure } from './environments/azure.ts'
import { google } from './environments/google.ts'
import { found } from './test/programs.ts'
import { synthesised } from './test/synth.ts'
import { unless } from './test/unless.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```sh(?<kind>[^\n]*)\n(?<text>[^]*?)^```$/gm)].map(({ groups }) => ({
  kind: groups?.kind?.trim() ?? '',
  text: groups?.text ?? '',
}))

/** The test's own Node first, and opa wherever it is. */
const environment = {
  ...process.env,
  PATH: [dirname(process.execPath), dirname(found('opa') ?? '/'), process.env.PATH].join(':'),
}
const run = (text: string): string =>
  execFileSync('bash', ['-euo', 'pipefail', '-c', text], {
    cwd: root,
    env: environment,
    stdio: 'pipe',
  }).toString()

const local = (kind: string) => blocks.filter((block) => block.kind === kind).map(({ text }) => text)

/** What a target of the Makefile does, without installing packages first. */
const recipe = (target: string): string =>
  new RegExp(`^${target}:.*\n((?:\t.*\n)+)`, 'm').exec(readFileSync(join(root, 'Makefile'), 'utf8'))?.[1] ??
  'false'

test('the local commands of README.md run, in order', () => {
  const said = local('local').map((text) =>
    run(text.replace(/^make (\S+)$/m, (_, target: string) => recipe(target))),
  )
  expect(said.join('').match(/six stacks is in/g)).toHaveLength(2)
}, 120_000)

unless(found('opa'), 'opa')(
  'its questions to the policies find nothing',
  () => {
    run('node infra/main.ts >/dev/null')
    expect(
      local('local opa')
        .map((text) => run(text))
        .join(''),
    ).toMatch(/^PASS: \d+\/\d+\nundefined\n$/)
  },
  60_000,
)

test('its links lead somewhere', () => {
  const links = [...readme.matchAll(/\]\((?<path>[^)#]+)(#[^)]*)?\)/g)].map(
    ({ groups }) => groups?.path ?? '',
  )
  expect(links.length).toBeGreaterThan(10)
  expect(links.filter((path) => !existsSync(join(import.meta.dirname, path)))).toEqual([])
})

test('what its commands take out of the state is all that destroy would refuse, and no cluster', () => {
  const patterns = [...readme.matchAll(/terraform state list \| grep -E '(?<pattern>[^']+)'/g)].map(
    ({ groups }) => new RegExp(groups?.pattern ?? ''),
  )
  const stacks = synthesised(aws, google, azure)
  expect(patterns).toHaveLength(3)
  for (const [index, cloud] of ['aws', 'google', 'azure'].entries()) {
    const addresses = Object.entries(stacks[`${cloud}-cluster`]?.resource ?? {}).flatMap(([type, named]) =>
      Object.entries(named).map(([name, { lifecycle }]) => ({
        address: `${type}.${name}`,
        kept: JSON.stringify(lifecycle ?? {}).includes('"prevent_destroy":true'),
      })),
    )
    const taken = addresses.filter(
      ({ address }) => patterns[index]?.test(address) === true && !address.includes('shipper'),
    )
    expect(taken.filter(({ address }) => /[.](cluster|nodes|loki|dns)_/.test(address))).toEqual([])
    expect(addresses.filter((one) => one.kept && !taken.includes(one))).toEqual([])
  }
}, 60_000)

test('every third-party chart has its version in charts.ts and nowhere else', () => {
  const others = [
    'platform/stack.ts',
    'platform/values.ts',
    'platform/cloud-values.ts',
    'platform/logging.ts',
    'app.ts',
    'README.md',
  ]
  for (const file of others) {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8')
    for (const { version } of Object.values(charts))
      expect([file, text.includes(version)]).toEqual([file, false])
  }
})
