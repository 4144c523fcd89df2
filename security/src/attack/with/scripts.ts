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
    // What stands behind the last line end is the half line of a run that was ended.
    .slice(0, -1)
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
const script = (pin: Tool['pin'], note: string, install = pip): Tool => ({
  pin,
  install: (folder, config) => `${install(folder, config)}   # ${pin.name}==${pin.version}, ${note}`,
  fine: [0],
  hidesFailures: false,
  program: 'bin/python',
  reportFile: (work) => join(work, 'report.jsonl'),
  start: ({ folder, config, work }, endpoint) => ({
    program: join(folder, 'bin/python'),
    args: [join(config, 'attack.py'), join(work, 'report.jsonl')],
    env: toolEnv(endpoint),
  }),
  parse: parseLines,
})

const pip = (folder: string, config: string): string =>
  `python3 -m venv ${folder} && ${folder}/bin/pip install -r ${config}/requirements.txt`

/** For a package that asks for versions which its own dependencies of today no longer load. */
const uvWithOverrides = (folder: string, config: string): string =>
  `python3 -m venv ${folder} && ${folder}/bin/pip install uv && ${folder}/bin/uv pip install --python ${folder}/bin/python -r ${config}/requirements.txt --override ${config}/overrides.txt`

export const pyrit = script({ name: 'pyrit', version: '1.1.0' }, '1 GB')
export const promptbench = script({ name: 'promptbench', version: '0.0.4' }, '6 GB', uvWithOverrides)
export const art = script({ name: 'adversarial-robustness-toolbox', version: '1.20.1' }, '300 MB')
