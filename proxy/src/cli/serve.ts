import { parseArgs } from 'node:util'
import { startGuard } from '../compose.ts'
import { lifecycle } from '../server/lifecycle.ts'
import { jsonLog } from '../telemetry/log.ts'
import { CliError, EXIT, type Command } from './command.ts'
import { fileOf, loadConfig, loadPod } from './load-config.ts'

export const serveCommand: Command = {
  help: `usage: postern serve FILE [--pod env:NAME]
       postern serve env:NAME [--pod env:NAME]

Runs the guard with the configuration in FILE, or in an environment variable (YAML; postern check FILE explains it). Relative paths in it
are taken from the folder that postern is started in. Logs go to standard error as JSON lines. The
configuration is read again when it or a file it names changes, and on SIGHUP; a bad one changes nothing.
Changes of server, admin, routes, audit and telemetry need a restart, and the log says so.

  --pod env:NAME   what the injector wrote about the pod that is guarded: ports, probes, the model's address (JSON)

SIGTERM and SIGINT drain: no longer ready, running answers finish, then it exits. A second one exits at once.

example
  postern serve postern.yaml

exit codes
  0    drained     1    something could not be closed     2  wrong usage or configuration
  3    could not start     130  ended by a second signal
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { pod: { type: 'string' } },
    })
    const [given, ...more] = positionals
    if (given === undefined || more.length > 0)
      throw new CliError('serve takes one file; see postern serve --help')
    const pod = values.pod === undefined ? undefined : loadPod(values.pod, io)
    const load = () => {
      const profile = loadConfig(given, io)
      return pod === undefined ? profile : pod.apply(profile)
    }
    const config = load()
    const log = jsonLog({
      level: config.telemetry.log.level,
      destination: undefined,
      base: { service: 'postern' },
    })
    const running = await startGuard(config, {
      log,
      source: { file: fileOf(given), load },
      ...(pod && { pod: pod.overlay }),
    }).catch((error: unknown) => {
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
