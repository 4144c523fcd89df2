import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startGuard } from '../compose.ts'
import { readConfig } from '../config/read-config.ts'
import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { lifecycle } from '../server/lifecycle.ts'
import { jsonLog } from '../telemetry/log.ts'
import { CliError, EXIT, type Command, type Io } from './command.ts'

export const serveCommand: Command = {
  help: `usage: postern serve FILE

Runs the guard with the configuration in FILE (YAML; postern check FILE explains it). Logs go to standard
error as JSON lines. The configuration is read again when it or a file it names changes, and on SIGHUP; a
bad one changes nothing.

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
      throw new CliError(`cannot start: ${(error as Error).message}`, EXIT.failed)
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

/** Reads and checks the file. Throws CliError with every problem. */
export const loadConfig = (file: string, io: Pick<Io, 'env'>): Config => {
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  let text: string
  try {
    text = readFile(file)
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${(cause as Error).message}`, EXIT.failed)
  }
  try {
    return readConfig(text, { file, env: io.env, readFile })
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message)
    throw error
  }
}
