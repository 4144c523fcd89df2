import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Command, Io } from '../command.ts'
import { readSource, walk } from '../lint/walk.ts'
import { usesIn, type Use } from './gather.ts'
import { callersOf, describeCaller, policyRoles, type Caller } from './policy.ts'

const HELP = `usage: postern-sec usage PATH... [--format table|json|policy] [--role NAME] [--exclude NAME] [--base DATA.json]

Who calls which model with which tools, gathered from code and configuration without running it. Names that the program
computes are not seen: read the result before you use it.

  --format policy  the "roles" of the guard's policy data: models, tools and the longest answer of each caller
  --base FILE      with policy: a copy of policies/data.json whose roles are replaced, ready for policy.dataFile
  --role NAME      one role for everything; without it each folder is a caller
  --exclude NAME   files and folders of this name; may be given again

exit codes
  0  done     2  wrong use, or a path that cannot be read
`

export const command: Command = {
  summary: 'who calls which model with which tools; as policy data for the guard',
  run: (args, io) => {
    try {
      return Promise.resolve(run(args, io))
    } catch (error) {
      io.err(
        `postern-sec usage: ${error instanceof Error ? error.message : String(error)}; postern-sec usage --help says more\n`,
      )
      return Promise.resolve(2)
    }
  },
}

const run = (args: readonly string[], io: Io): number => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      format: { type: 'string' },
      role: { type: 'string' },
      base: { type: 'string' },
      exclude: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    io.out(HELP)
    return 0
  }
  const { format = 'table' } = values
  if (positionals.length === 0) throw new Error('name a file or folder')
  if (!['table', 'json', 'policy'].includes(format))
    throw new Error(`${JSON.stringify(format)} is none of table, json, policy`)
  const callers = callersOf(gather(positionals, values.exclude ?? [], io), values.role)
  io.out(
    format === 'policy'
      ? policy(callers, values.base)
      : format === 'json'
        ? json({ callers: callers.map(describeCaller) })
        : table(callers),
  )
  return 0
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

const gather = (paths: readonly string[], exclude: readonly string[], io: Io): readonly Use[] =>
  walk(paths, { exclude, maxFiles: 20_000, maxBytes: 1 << 20 }).files.flatMap((path) => {
    const source = readSource(path)
    try {
      return source === undefined ? [] : (usesIn(source) ?? [])
    } catch {
      io.err(`not read: ${path}\n`)
      return []
    }
  })

const policy = (callers: readonly Caller[], base: string | undefined): string => {
  const roles = policyRoles(callers)
  if (base === undefined) return json({ roles })
  const data = JSON.parse(readFileSync(base, 'utf8')) as unknown
  if (typeof data !== 'object' || data === null || !('roles' in data))
    throw new Error(`${base} is not policy data`)
  return json({ ...data, roles })
}

const table = (callers: readonly Caller[]): string =>
  callers
    .map((caller) => {
      const { role, models, tools, files } = describeCaller(caller)
      const line = (name: string, items: readonly string[]): string =>
        `  ${name.padEnd(7)} ${items.length === 0 ? '-' : items.join(', ')}\n`
      return `${role}\n${line('models', models)}${line('tools', tools)}${line('files', files)}`
    })
    .join('\n')
