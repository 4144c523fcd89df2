import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startGuard } from '../compose.ts'
import { readConfig } from '../config/read-config.ts'
import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { lifecycle } from '../server/lifecycle.ts'
import { jsonLog } from '../telemetry/log.ts'
import { CliError, EXIT, unreadable, type Command, type Io } from './command.ts'

export const serveCommand: Command = {
  help: `usage: postern serve FILE

Runs the guard with the configuration in FILE (YAML; postern check FILE explains it). Relative paths in it
are taken from the folder that postern is started in. Logs go to standard error as JSON lines. The
configuration is read again when it or a file it names changes, and on SIGHUP; a bad one changes nothing.
Changes of server, admin, routes, audit and telemetry need a restart, and the log says so.

SIGTERM and SIGINT drain: no longer ready, running answers finish, then it exits. A second one exits at once.

example
  postern serve postern.yaml

exit codes
  0    drained     1    something could not be closed     2  wrong usage or configuration
  3    could not start     130  ended by a second signal
`,
  run: async (args, io) => {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} })
    const [given, ...more] = positionals
    if (given === undefined || more.length > 0)
      throw new CliError('serve takes one file; see postern serve --help')
    const file = resolve(given)
    const load = () => loadConfig(file, io)
    const config = load()
    const log = jsonLog({
      level: config.telemetry.log.level,
      destination: undefined,
      base: { service: 'postern' },
    })
    const running = await startGuard(config, { log, source: { file, load } }).catch((error: unknown) => {
      throw new CliError(`cannot start: ${whyNotStarted(error)}`, EXIT.failed)
    })
    log.info('serving', {
      port: running.port,
      admin_port: running.adminPort,
      ready_ms: Math.round(performance.now()),
    })
    const onDrained = () => running.close()
    return new Promise<number>((resolveExit) => {
      // A drained guard has nothing left to wait for; a second signal must not wait for what is left.
      const exit = (code: number): void => {
        resolveExit(code)
        process.exit(code)
      }
      lifecycle({ server: running.server, onDrained, exit, log })
    })
  },
}

const whyNotStarted = (error: unknown): string => {
  const { code, syscall, message, address = '', port } = error as Listening
  if (syscall !== 'listen') return message
  const at = `${address}:${port ?? ''}`
  const change = 'server.listen or admin in the configuration'
  switch (code) {
    case 'EADDRINUSE':
      return `${at} is in use, perhaps by another guard; stop that, or change ${change}`
    case 'EACCES':
      return `${at} may not be used by this user; take a port above 1023, or change ${change}`
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine; change ${change}`
    default:
      return message
  }
}

interface Listening extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
}

/** Reads and checks the file. Throws CliError with every problem. */
export const loadConfig = (file: string, io: Pick<Io, 'env'>): Config => {
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  let text: string
  try {
    text = readFile(file)
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${unreadable(cause)}`, EXIT.failed)
  }
  try {
    return readConfig(text, { file, env: io.env, readFile })
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message)
    throw error
  }
}
