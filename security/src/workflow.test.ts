import { expect, test } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
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
  expect(runs).toHaveLength(2)
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

test('every action names a version', () => {
  for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/@(v\d+|[0-9a-f]{40})$/)
})
