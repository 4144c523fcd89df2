#!/usr/bin/env node
import { auditCommand } from './cli/audit.ts'
import { checkCommand } from './cli/check.ts'
import { CliError, EXIT, systemIo, type Command, type Io } from './cli/command.ts'
import { scanCommand } from './cli/scan.ts'
import { serveCommand } from './cli/serve.ts'
import { tokenCommand } from './cli/token.ts'

const commands: readonly Command[] = [serveCommand, checkCommand, scanCommand, tokenCommand, auditCommand]

const overview = (io: Io): string => `${io.paint('bold', 'postern')}: the guard in front of a language-model server

usage: postern COMMAND [...]

${commands.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

postern COMMAND --help tells how to use one and what its exit codes mean.
`

const main = async (argv: readonly string[], io: Io): Promise<number> => {
  const [name, ...args] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(overview(io))
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  const command = commands.find((one) => one.name === name)
  if (!command) {
    io.err(`postern: there is no command '${name}'.\n\n${overview(io)}`)
    return EXIT.usage
  }
  if (args.includes('--help') || args.includes('-h')) {
    io.out(command.help)
    return EXIT.ok
  }
  return command.run(args, io)
}

const io = systemIo()
try {
  process.exitCode = await main(process.argv.slice(2), io)
} catch (error) {
  const known = error instanceof CliError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  io.err(`postern: ${known ? (error as Error).message : String((error as Error).stack)}\n`)
  process.exitCode = error instanceof CliError ? error.exit : known ? EXIT.usage : EXIT.failed
}
