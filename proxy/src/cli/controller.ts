import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { composeController } from '../compose/controller.ts'
import { loadControllerConfig, type ControllerFile } from '../compose/controller-config.ts'
import { ConfigError } from '../config/problems.ts'
import { lifecycle } from '../server/lifecycle.ts'
import { jsonLog } from '../telemetry/log.ts'
import { CliError, EXIT, unreadable, type Command } from './command.ts'

export const controllerCommand: Command = {
  help: `usage: postern controller FILE

Runs the controller in a Kubernetes cluster with the configuration in FILE (YAML): it adds guards to pods,
issues their certificates and hands out policies. The cluster is the one it runs in, or that of KUBECONFIG.
Logs go to standard error as JSON lines. Certificates and profiles are followed when they change; a change of FILE
needs a restart.

SIGTERM and SIGINT drain: not ready any more, webhooks are answered while the Service forgets it, the lease
is given back, then it exits. A second one exits at once.

example
  postern controller /etc/postern/controller.yaml

exit codes
  0    drained     1    something could not be closed     2  wrong usage or configuration
  3    could not start     130  ended by a second signal
`,
  run: async (args) => {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} })
    const [given, ...more] = positionals
    if (given === undefined || more.length > 0)
      throw new CliError('controller takes one file; see postern controller --help')
    const config = load(resolve(given))
    const log = jsonLog({
      level: config.log.level,
      destination: undefined,
      base: { service: 'postern-controller' },
    })
    const running = await composeController(config, { log }).catch((error: unknown) => {
      throw new CliError(`cannot start: ${(error as Error).message}`, EXIT.failed)
    })
    log.info('serving', {
      port: running.port,
      admin_port: running.adminPort,
      ready_ms: Math.round(performance.now()),
    })
    return new Promise<number>((resolveExit) => {
      const exit = (code: number): void => {
        resolveExit(code)
        process.exit(code)
      }
      lifecycle({ server: running, onDrained: () => running.close(), exit, log })
    })
  },
}

const load = (file: string): ControllerFile => {
  try {
    return loadControllerConfig(file)
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message)
    throw new CliError(`cannot read ${file}: ${unreadable(error)}`, EXIT.failed)
  }
}
