#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { CliError, EXIT, systemIo, type Command, type Io } from './cli/command.ts'

interface Listed {
  readonly summary: string
  /** Loaded when it is asked for: `--help` and `scan` need not wait for the whole guard. */
  readonly load: () => Promise<Command>
}

const commands: Readonly<Record<string, Listed>> = {
  serve: { summary: 'run the guard', load: async () => (await import('./cli/serve.ts')).serveCommand },
  check: {
    summary: 'check a configuration file and explain what it means',
    load: async () => (await import('./cli/check.ts')).checkCommand,
  },
  controller: {
    summary: 'put guards beside models in a Kubernetes cluster, and give them certificates and policies',
    load: async () => (await import('./cli/controller.ts')).controllerCommand,
  },
  inject: {
    summary: 'show what the controller would do to a manifest',
    load: async () => (await import('./cli/inject.ts')).injectCommand,
  },
  scan: {
    summary: 'find secrets, personal data, injections and invisible text in a text',
    load: async () => (await import('./cli/scan.ts')).scanCommand,
  },
  token: {
    summary: 'make API keys, password hashes and local tokens',
    load: async () => (await import('./cli/token.ts')).tokenCommand,
  },
  respond: {
    summary: 'list, give and undo responses to threats at a guard or the controller',
    load: async () => (await import('./cli/respond.ts')).respondCommand,
  },
  explain: {
    summary: 'say what happened in one exchange, and why',
    load: async () => (await import('./cli/explain.ts')).explainCommand,
  },
  evidence: {
    summary: 'hand an auditor what happened in a time, in a bundle that verifies with public tools',
    load: async () => (await import('./cli/evidence.ts')).evidenceCommand,
  },
  baseline: {
    summary: 'freeze how models behave now, to measure drift against',
    load: async () => (await import('./cli/baseline.ts')).baselineCommand,
  },
  probe: {
    summary: 'send pairs of prompts that differ in one attribute, and say whether both are treated alike',
    load: async () => (await import('./cli/probe.ts')).probeCommand,
  },
  audit: {
    summary: 'verify that an audit log is whole',
    load: async () => (await import('./cli/audit.ts')).auditCommand,
  },
}

const overview = (
  io: Io,
): string => `${io.paint('bold', 'postern')}: the guard in front of a language-model server

usage: postern COMMAND [...]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${io.paint('cyan', name.padEnd(10))} ${summary}`)
  .join('\n')}

postern COMMAND --help tells how to use one and what its exit codes mean. postern --version tells the version.
`

/** Beside the sources and beside the compiled guard alike. */
const version = (): string =>
  (
    JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      readonly version: string
    }
  ).version

/** One stranger between the guard and its key server could otherwise sign tokens for everybody. */
const ANY_CERTIFICATE = `NODE_TLS_REJECT_UNAUTHORIZED=0 would take any certificate for that of the key server, the policy server or the store of \
limits. Remove it, and name your own authority with caFile in the configuration, or in NODE_EXTRA_CA_CERTS.`

const main = async (argv: readonly string[], io: Io): Promise<number> => {
  const [name, ...args] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(overview(io))
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  if (name === '--version' || name === '-V') {
    io.out(`${version()}\n`)
    return EXIT.ok
  }
  const listed = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!listed) {
    io.err(`postern: there is no command '${name}'.\n\n${overview(io)}`)
    return EXIT.usage
  }
  if (io.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') throw new CliError(ANY_CERTIFICATE)
  const command = await listed.load()
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
  const wrongArgs = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
  const known = error instanceof CliError || wrongArgs
  io.err(`postern: ${known ? (error as Error).message : String((error as Error).stack)}\n`)
  process.exitCode = error instanceof CliError ? error.exit : wrongArgs ? EXIT.usage : EXIT.failed
}
