import { expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { main } from './cli.ts'

const root = new URL('../../', import.meta.url)
const workflow = parse(readFileSync(new URL('.github/workflows/security.yml', root), 'utf8')) as {
  on: { workflow_call: { inputs: Record<string, { type: string; description: string }> } }
  jobs: { security: { env: Record<string, string>; steps: { name?: string; run?: string; uses?: string }[] } }
}
const { env, steps } = workflow.jobs.security

test('the steps come in the order of the pipeline', () => {
  const names = steps.flatMap(({ name = '' }) => (/^\d/.test(name) ? [name] : []))
  expect(names).toEqual([
    '1 Notebook tests',
    '2 Prompt lint and schema',
    '3 to 5 Adversarial benchmark, guard and gate, observability',
  ])
})

test('every command of ours that a step runs exists, with the options it is given', async () => {
  const runs = steps.flatMap(({ run = '' }) => run.split('\n')).filter((line) => line.includes('cli.ts'))
  expect(runs).toHaveLength(3)
  for (const line of runs) {
    const [, script = '', command = ''] = /node \.\.\/postern\/(\S+) (\S+)/.exec(line) ?? []
    expect([script, existsSync(new URL(script, root))]).toEqual([script, true])
    let help = ''
    expect(
      await main([command, '--help'], {
        out: (text) => void (help += text),
        err: () => undefined,
        terminal: false,
      }),
    ).toBe(0)
    for (const [option] of line.matchAll(/--[a-z-]+/g)) expect(help).toContain(option)
  }
})

test('what a caller writes reaches a shell as an environment variable only', () => {
  for (const { run = '' } of steps) expect(run).not.toContain('${{')
  const used = Object.values(env).map((value) => /inputs\.([\w-]+)/.exec(value)?.[1])
  for (const name of used) expect(Object.keys(workflow.on.workflow_call.inputs)).toContain(name)
})

const folder = new URL('.github/workflows/', root)
const texts = readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))

test('every action of every workflow is named by its commit, with its version beside it', () => {
  const uses = texts.flatMap(({ name, text }) =>
    text.split('\n').flatMap((line) => (/^ *-? *uses:/.test(line) ? [`${name} ${line.trim()}`] : [])),
  )
  expect(uses.length).toBeGreaterThan(10)
  for (const line of uses) expect(line).toMatch(/uses: [\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test('every workflow may read only, but for the one right to show findings, and leaves no credential in its checkout', () => {
  for (const { name, text } of texts) {
    const file = parse(text) as {
      permissions: unknown
      jobs: Record<
        string,
        { permissions?: Record<string, string>; steps: { uses?: string; with?: object }[] }
      >
    }
    expect([name, file.permissions]).toEqual([name, { contents: 'read' }])
    for (const { permissions = {}, steps } of Object.values(file.jobs)) {
      const rights = Object.entries(permissions).map(([what, right]) => `${what}: ${right}`)
      expect(['contents: read', 'security-events: write']).toEqual(expect.arrayContaining(rights))
      for (const step of steps)
        if (step.uses?.startsWith('actions/checkout@'))
          expect(step.with).toMatchObject({ 'persist-credentials': false })
    }
  }
})

const scanning = parse(texts.find(({ name }) => name === 'scan.yml')?.text ?? '') as {
  jobs: { scan: { steps: { run?: string }[] } }
}
const scanned = scanning.jobs.scan.steps.map(({ run = '' }) => run).join('\n')

const readPins = (): ReadonlyMap<string, string> => {
  const text = readFileSync(new URL('security/third-party/scanners.env', root), 'utf8')
  return new Map(
    [...text.matchAll(/^([A-Z_]+)=(\S+)$/gm)].map(([, name = '', version = '']) => [name, version]),
  )
}

test('every Dockerfile of the repository is built and scanned, with every scanner there and at an exact version', () => {
  const files = execFileSync('git', ['ls-files', '*Dockerfile'], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n')
  expect(files.length).toBeGreaterThan(1)
  const names = [...scanned.matchAll(/--image (\S+)=(\S+)/g)].map(([, image, recipe]) => ({ image, recipe }))
  expect(names.map(({ recipe }) => recipe).sort()).toEqual(files.sort())
  for (const { image = '', recipe = '' } of names)
    expect(scanned).toContain(`docker build --pull --tag ${image} --file ${recipe} `)
  expect(scanned).toMatch(/cli\.ts scan --complete /)
  expect(scanned).toContain('. security/third-party/scanners.env')
  const pins = readPins()
  const versions = [...scanned.matchAll(/go install "\S+@\$(\w+)"/g)].map(([, name = '']) => pins.get(name))
  expect(versions).toHaveLength(3)
  for (const version of versions) expect(version).toMatch(/^v\d+\.\d+\.\d+$/)
})

test('.ci/run builds the osv-scanner that the workflow takes', () => {
  const ci = readFileSync(new URL('.ci/run', root), 'utf8')
  expect(/^OSV_SCANNER_VERSION=(\S+)$/m.exec(ci)?.[1]).toBe(readPins().get('OSV_SCANNER'))
})
