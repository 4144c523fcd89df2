import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../../proxy/demo/free-port.ts'

/** True when the program is there; `args` must make it end at once. */
export const isInstalled = (program: string, args: readonly string[] = ['--version']): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

export interface Daemon {
  readonly url: string
  close(): Promise<void>
}

/** A program that serves HTTP on loopback, in a folder of its own that goes with it. Throws when it is not ready in time. */
export const startDaemon = async (options: {
  readonly program: string
  readonly files: (port: number) => Readonly<Record<string, string>>
  readonly args: (folder: string, port: number) => readonly string[]
  readonly readyPath: string
}): Promise<Daemon> => {
  const folder = mkdtempSync(join(tmpdir(), `postern-${options.program.split('/').at(-1)}-`))
  const port = await freePort()
  for (const [name, content] of Object.entries(options.files(port))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  const child = spawn(options.program, options.args(folder, port), {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  const close = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
    const ready = await fetch(url + options.readyPath).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) return { url, close }
    await new Promise((done) => setTimeout(done, 100))
  }
  await close()
  throw new Error(`${options.program} did not get ready: ${said}`)
}

export interface PrometheusOptions {
  /** `host:port` of the admin listeners to scrape. */
  readonly targets: readonly string[]
  /** The same of controllers. */
  readonly controllers?: readonly string[]
  /** What red-team runs pushed, or a Pushgateway. */
  readonly pushed?: readonly string[]
  readonly ruleFiles: readonly string[]
  readonly alertmanager?: string
  /** Between two scrapes, and two evaluations; a PromQL duration. */
  readonly interval: string
}

export const startPrometheus = ({
  targets,
  controllers = [],
  pushed = [],
  ruleFiles,
  alertmanager,
  interval,
}: PrometheusOptions): Promise<Daemon> =>
  startDaemon({
    program: 'prometheus',
    files: () => ({
      'prometheus.yaml': stringify({
        global: { scrape_interval: interval, evaluation_interval: interval },
        rule_files: ruleFiles,
        scrape_configs: [
          { job_name: 'postern', static_configs: [{ targets, labels: { namespace: 'demo' } }] },
          {
            job_name: 'postern-controller',
            static_configs: [{ targets: controllers, labels: { namespace: 'postern' } }],
          },
          { job_name: 'pushgateway', honor_labels: true, static_configs: [{ targets: pushed }] },
        ],
        ...(alertmanager !== undefined && {
          alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
        }),
      }),
    }),
    args: (folder, port) => [
      `--config.file=${folder}/prometheus.yaml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ],
    readyPath: '/-/ready',
  })
