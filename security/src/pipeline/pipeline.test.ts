import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { FAMILIES } from '../attack/attack.ts'
import { lintCheck } from './checks.ts'
import { notebookCheck } from './notebooks.ts'
import { command } from './command.ts'
import { table, timed } from './step.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-pipeline-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pipeline = async (...args: readonly string[]) => {
  let out = ''
  let err = ''
  const code = await command.run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    terminal: false,
  })
  return { code, out, err }
}

test('a clean project passes every step that this machine can do, and says what it could not', async () => {
  const project = join(folder, 'clean')
  mkdirSync(project)
  writeFileSync(join(project, 'main.py'), 'print("nothing to see")\n')
  const baseline = join(folder, 'baseline.json')
  const families = Object.fromEntries(FAMILIES.map((family) => [family, 1]))
  writeFileSync(baseline, JSON.stringify({ version: 1, plan: 'any', families, falsePositives: 1 }))
  const { code, out, err } = await pipeline(
    project,
    ...['--store', join(folder, 'store'), '--attacks', '60', '--baseline', baseline],
  )
  expect(err).toBe('')
  expect(out).toMatch(/^notebooks +skipped .*there is no notebook below/m)
  expect(out).toMatch(/^attacks +passed .*The gate holds/m)
  expect(out).toMatch(/^guard and gate +passed /m)
  expect(out).toMatch(/^observability +(passed|skipped) /m)
  expect(code).toBe(0)
}, 180_000)

test('a step that breaks is a failed step with its reason, and the others still run', async () => {
  const outcome = await timed('attacks', () => Promise.reject(new Error('the guard is gone')))
  expect(table([outcome])).toMatch(/^attacks +failed +\d+\.\d s +the guard is gone\n$/)
})

const cell = (source: string, output: string) => ({
  cell_type: 'code',
  execution_count: 1,
  id: 'a1',
  metadata: {},
  source: [source],
  outputs: [{ name: 'stdout', output_type: 'stream', text: [`${output}\n`] }],
})

test('a notebook whose stored output is wrong fails, one whose output is right passes; without nbval both are skipped by name', async () => {
  const outcomes = []
  for (const output of ['3', '4']) {
    const place = join(folder, `notebook-${output}`)
    mkdirSync(place)
    const kernelspec = { name: 'python3', display_name: 'Python 3', language: 'python' }
    const notebook = {
      cells: [cell('print(1 + 2)', output)],
      metadata: { kernelspec },
      nbformat: 4,
      nbformat_minor: 5,
    }
    writeFileSync(join(place, 'sum.ipynb'), JSON.stringify(notebook))
    outcomes.push(await notebookCheck(place))
  }
  const missing = outcomes.every(({ result }) => result === 'skipped')
  if (missing) expect(outcomes[0]?.detail).toContain('pip install nbval')
  else expect(outcomes.map(({ result }) => result)).toEqual(['passed', 'failed'])
}, 120_000)

test('a number of attacks that proves nothing is wrong use', async () => {
  const { code, err } = await pipeline('--attacks', '3')
  expect(code).toBe(2)
  expect(err).toContain('--attacks takes')
})

test('a configuration that no guard would take fails at its own step, and what runs elsewhere is left out', async () => {
  const project = join(folder, 'wrong-config')
  mkdirSync(project)
  writeFileSync(join(project, 'postern.yaml'), 'servr: {}\n')
  const { code, out } = await pipeline(
    project,
    ...['--store', join(folder, 'store-2'), '--attacks', '60', '--baseline', join(folder, 'none.json')],
    ...['--config', join(project, 'postern.yaml'), '--skip', 'notebooks', '--skip', 'lint'],
  )
  expect(code).toBe(1)
  expect(out).toMatch(/^configuration +failed .*servr: unknown key/m)
  expect(out).toMatch(/^guard and gate +passed /m)
  expect(out).not.toMatch(/^(notebooks|prompt lint) /m)
}, 180_000)

test('a step that is not known cannot be left out', async () => {
  expect((await pipeline('--skip', 'attacks')).err).toContain('--skip takes')
})

test('lint names what it found, and leaves the store of earlier runs alone', async () => {
  const project = join(folder, 'badly-prompted')
  mkdirSync(join(project, '.postern-sec'), { recursive: true })
  const wrong = 'kind: Prompt\nname: x\nmessages:\n  - { role: nobody, content: hi }\n'
  writeFileSync(join(project, '.postern-sec/prompt.yaml'), wrong)
  expect((await lintCheck(project)).result).toBe('passed')
  writeFileSync(join(project, 'prompt.yaml'), wrong)
  expect(await lintCheck(project)).toMatchObject({
    result: 'failed',
    detail: expect.stringMatching(/prompt\.yaml:1:1 error prompt-schema version is missing/),
  })
})
