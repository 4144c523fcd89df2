import { execFileSync, spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { homedir } from 'node:os'
import { expect, test } from '@jest/globals'
import { onPath } from '../scan/tool.ts'

process.env['PATH'] = [
  process.env['PATH'],
  join(homedir(), 'go/bin'),
  join(homedir(), '.cache/postern-scan/bin'),
  join(homedir(), '.cache/postern-workflows/bin'),
].join(delimiter)

const root = join(import.meta.dirname, '../../..')
const withProgram = (name: string, title: string, run: (program: string) => void): void => {
  const program = onPath(name)
  if (program === undefined) test.skip(`${title} (skipped: there is no ${name})`, () => undefined)
  else test(title, () => run(program), 60_000)
}

const said = (program: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    env: process.env,
  })
  return status === 0 ? '' : `${stdout}${stderr}`
}

const workflows = execFileSync('git', ['ls-files', '.github/workflows'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')

withProgram('actionlint', 'actionlint takes every workflow', (program) => {
  expect(said(program, ['-no-color', ...workflows])).toBe('')
})

withProgram('zizmor', 'zizmor finds nothing in any workflow, however little it would weigh', (program) => {
  const args = ['--offline', '--no-progress', '--quiet', '--persona', 'auditor']
  expect(said(program, [...args, ...workflows])).toBe('')
})
