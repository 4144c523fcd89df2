import { parseArgs } from 'node:util'
import { configWarnings, explainConfig } from '../config/explain.ts'
import { maskedConfig } from '../config/read-config.ts'
import { badFiles, badKeys } from './bad-files.ts'
import { CliError, EXIT, type Command } from './command.ts'
import { loadConfig, locate } from './load-config.ts'

export const checkCommand: Command = {
  help: `usage: postern check FILE [--json] [--document]

Reads FILE as 'postern serve' would, and the keys, accounts, certificates and policies that it names, without
starting anything or using the network, and explains what the guard would do. Every problem is listed with its
place and what to do about it. Relative paths in FILE are taken from the current folder.

  --document   checks FILE alone: the files and variables that it names may be elsewhere, as in a pod
  --json       the whole configuration with all defaults, secrets masked, and the warnings

example
  postern check postern.yaml

exit codes
  0  good     2  wrong usage, or something is wrong with the files     3  the file could not be read
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, document: { type: 'boolean' } },
    })
    const [given, ...more] = positionals
    if (given === undefined || more.length > 0)
      throw new CliError('check takes one file; see postern check --help')
    const config = loadConfig(given, io, values.document ? 'trust' : 'check')
    const bad = values.document ? [] : [...locate(given, io, badKeys(config)), ...(await badFiles(config))]
    if (bad.length > 0) throw new CliError(bad.join('\n'))
    if (values.json) {
      io.out(
        `${JSON.stringify({ config: maskedConfig(config), warnings: configWarnings(config) }, null, 2)}\n`,
      )
    } else {
      for (const line of explainConfig(config))
        io.out(`${line.startsWith('warning:') ? io.paint('yellow', line) : line}\n`)
      io.out(`${io.paint('green', `${given} is good`)}\n`)
    }
    return EXIT.ok
  },
}
