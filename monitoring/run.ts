import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isInstalled, startDaemon, startPrometheus, type Daemon } from './demo/prometheus.ts'
import { startDrifting } from './demo/drifting.ts'
import { startRedteamMetrics } from './demo/redteam-metrics.ts'
import { startLoki } from './demo/loki.ts'
import { findProgram } from './demo/programs.ts'
import { auditPusher } from './demo/push-audit.ts'
import { startScene } from './demo/scene.ts'
import { readFileSync } from 'node:fs'

/** Prometheus and Alertmanager of Debian with our rules, and a guard under demo traffic, until Ctrl-C. */
const NEEDED = { prometheus: 'prometheus', 'prometheus-alertmanager': 'prometheus-alertmanager' } as const
const RULES = resolve(import.meta.dirname, 'generated/rules/postern.rules.yaml')
const ROUTES = resolve(import.meta.dirname, 'alertmanager.yaml')
const TRAFFIC_MS = 2000

const missing = Object.entries(NEEDED).filter(([program]) => !isInstalled(program))
if (missing.length > 0) {
  process.stderr.write(
    `Not on the PATH: ${missing.map(([program]) => program).join(', ')}. On Debian: apt-get install ${missing.map(([, from]) => from).join(' ')}\n`,
  )
  process.exit(1)
}

const startAlertmanager = (): Promise<Daemon> =>
  startDaemon({
    program: 'prometheus-alertmanager',
    files: () => ({ 'alertmanager.yaml': readFileSync(ROUTES, 'utf8') }),
    args: (folder, port) => [
      `--config.file=${folder}/alertmanager.yaml`,
      `--storage.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    readyPath: '/-/ready',
  })

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())

const opened: { close(): Promise<void> }[] = []
try {
  const scene = await startScene()
  opened.push(scene)
  const drifting = await startDrifting()
  opened.push(drifting)
  const redteam = await startRedteamMetrics()
  opened.push(redteam)
  const alertmanager = await startAlertmanager()
  opened.push(alertmanager)
  const prometheus = await startPrometheus({
    targets: [scene.guard, drifting.guard].map(({ adminUrl }) => new URL(adminUrl).host),
    pushed: [redteam.target],
    ruleFiles: [RULES],
    alertmanager: new URL(alertmanager.url).host,
    interval: '5s',
  })
  opened.push(prometheus)
  const program = findProgram('loki')
  const loki = program === undefined ? undefined : await startLoki(program)
  if (loki) opened.push(loki)
  const push = loki && auditPusher(scene.guard.auditFile, loki.url)
  process.stdout.write(`Guard         ${scene.guard.url}, metrics at ${scene.guard.adminUrl}/metrics
Prometheus    ${prometheus.url}/graph, alerts at ${prometheus.url}/alerts
Alertmanager  ${alertmanager.url}
Loki          ${loki?.url ?? 'none: there is no loki on the PATH; monitoring/README.md says how to build one'}
Audit log     ${scene.guard.auditFile}

Every ${TRAFFIC_MS / 1000} s a round of demo traffic: plain, streamed, redacted, refused, and to a model server that is gone;
and through a second guard to a model that changed after its baseline was frozen. Red-team numbers are made up.
Ctrl-C ends it.
`)
  while (!stop.signal.aborted) {
    await scene.round()
    await drifting.round()
    await push?.()
    await sleep(TRAFFIC_MS, undefined, { signal: stop.signal }).catch(() => undefined)
  }
} finally {
  for (const one of opened.toReversed()) await one.close()
}
