import { join } from 'node:path'
import type { Verdict } from '../attempt.ts'
import { toolEnv, type ForeignAttempt, type Tool } from './tool.ts'

const VERDICTS: ReadonlySet<string> = new Set<Verdict>([
  'succeeded',
  'blocked',
  'redacted',
  'refused',
  'resisted',
  'error',
])

/** JSON lines of our own scripts. Throws Error that names the line which is none. */
export const parseLines = (report: string): readonly ForeignAttempt[] =>
  report
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, at) => {
      const read = JSON.parse(line) as Partial<ForeignAttempt>
      if (
        typeof read.family !== 'string' ||
        typeof read.mutator !== 'string' ||
        !VERDICTS.has(read.verdict ?? '')
      )
        throw new Error(`line ${at + 1} of the report has no family, mutator and verdict`)
      return read as ForeignAttempt
    })

/** A library without a program of its own: a short script of ours uses it. */
const script = (name: string, size: string): Tool => ({
  install: (folder) =>
    `python3 -m venv ${folder} && ${folder}/bin/pip install -r security/third-party/${name}/requirements.txt   # ${size}`,
  program: 'bin/python',
  reportFile: (work) => join(work, 'report.jsonl'),
  start: ({ folder, config, work }, endpoint) => ({
    program: join(folder, 'bin/python'),
    args: [join(config, 'attack.py'), join(work, 'report.jsonl')],
    env: toolEnv(endpoint),
  }),
  parse: parseLines,
})

export const pyrit = script('pyrit', '1 GB')
export const promptbench = script('promptbench', '6 GB')
export const art = script('art', '1 GB')
