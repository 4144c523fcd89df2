import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Meter } from '../../proxy/src/core/metrics.ts'
import { promMeter } from '../../proxy/src/telemetry/metrics.ts'

export interface MadeUpMetrics {
  /** `host:port` of what Prometheus scrapes. */
  readonly target: string
  /** Counts a little of everything. */
  tick(): void
  close(): Promise<void>
}

/**
 * The real meter with made-up numbers: a controller needs a cluster, which is e2e's. Here it only shows that names, labels
 * and queries fit each other.
 */
export const startControllerMetrics = (): Promise<MadeUpMetrics> => madeUp(countController)

/** The same for what a guard counts only when it has a controller. */
export const startControlledGuardMetrics = (): Promise<MadeUpMetrics> => madeUp(countControlledGuard)

const DAY = 86_400 // seconds

const countController = (meter: Meter): void => {
  const now = Date.now() / 1000
  meter.set('postern_controller_leader', 1, 'postern-controller')
  meter.set('postern_controller_certificate_end_seconds', now + 200 * DAY, 'authority')
  meter.set('postern_controller_certificate_end_seconds', now + DAY, 'server')
  for (const result of ['patched', 'unchanged', 'refused']) {
    meter.add('postern_controller_admissions_total', 1, 'pods', result)
    meter.observe('postern_controller_admission_seconds', 0.003, 'pods')
  }
  meter.add('postern_controller_certificates_total', 1, 'workload', 'issued')
  meter.add('postern_controller_bundle_requests_total', 1, 'unchanged')
  meter.add('postern_controller_trust_reads_total', 1, 'ok')
  for (const name of ['policies', 'workloads', 'advice'])
    meter.add('postern_controller_reconciles_total', 1, name, 'ok')
}

const countControlledGuard = (meter: Meter): void => {
  const now = Date.now() / 1000
  meter.set('postern_ready', 1)
  meter.set('postern_audit_writable', 1)
  meter.set('postern_workload_certificate_expiry_timestamp_seconds', now + DAY)
  meter.set('postern_policy_bundle_confirmed_timestamp_seconds', now)
  meter.add('postern_workload_certificate_renewals_total', 1, 'controller', 'ok')
  meter.add('postern_respond_fetches_total', 1, 'unchanged')
}

const madeUp = async (count: (meter: Meter) => void): Promise<MadeUpMetrics> => {
  const meter = promMeter({ maxSeries: 100, processMetrics: true })
  count(meter)
  const server = createServer((_request, response) => {
    void meter
      .expose()
      .then((text) => response.writeHead(200, { 'content-type': meter.contentType }).end(text))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    tick: () => count(meter),
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
