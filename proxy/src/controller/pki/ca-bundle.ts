import { AdmissionregistrationV1Api, type KubeConfig } from '@kubernetes/client-node'
import type { Log } from '../../core/log.ts'
import { kubeError, statusOf } from '../kube.ts'
import type { Leader } from '../leader.ts'
import type { Trust } from '../trust.ts'

export interface CaBundleOptions {
  readonly kube: KubeConfig
  /** MutatingWebhookConfigurations by name. */
  readonly configurations: readonly string[]
  readonly trust: Trust
  readonly leader: Leader
  /** Between two looks, in milliseconds; 15000 when absent. */
  readonly pollMs?: number
  readonly log: Log
}

export interface CaBundleKeeper {
  /** True when the configurations had what is trusted at the last look, or another replica sees to it. */
  look(): Promise<void>
  close(): Promise<void>
}

const POLL_MS = 15_000

/**
 * Keeps `caBundle` of each webhook in the named configurations at what is trusted. Only the leader, and only that field: a JSON patch that
 * tests the webhook's name, so that a list changed meanwhile is looked at again.
 */
export const keepCaBundle = (options: CaBundleOptions): CaBundleKeeper => {
  const { kube, configurations, trust, leader, log, pollMs = POLL_MS } = options
  const api = kube.makeApiClient(AdmissionregistrationV1Api)
  const failures = new Map<string, string>()

  const keep = async (name: string): Promise<void> => {
    const { webhooks = [] } = await api.readMutatingWebhookConfiguration({ name })
    const caBundle = Buffer.from(trust.authorities()).toString('base64')
    const body = webhooks.flatMap((webhook, index) =>
      webhook.clientConfig.caBundle === caBundle
        ? []
        : [
            { op: 'test', path: `/webhooks/${index}/name`, value: webhook.name },
            { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle },
          ],
    )
    if (body.length === 0 || !leader.leading()) return
    await api.patchMutatingWebhookConfiguration({ name, body, fieldManager: 'postern-controller' })
    log.info('ca_bundle_written', { configuration: name })
  }
  const lookOnce = async (): Promise<void> => {
    if (!leader.leading()) return
    for (const name of configurations) {
      try {
        await keep(name)
        failures.delete(name)
      } catch (error) {
        const why =
          statusOf(error) === 404
            ? 'there is none; install the chart, or correct certificates.webhooks'
            : kubeError('write caBundle', error).message
        if (failures.get(name) !== why) log.warn('ca_bundle_failed', { configuration: name, why })
        failures.set(name, why)
      }
    }
  }
  let running: Promise<void> = Promise.resolve()
  const look = (): Promise<void> => (running = running.then(lookOnce))
  const timer = setInterval(() => void look(), pollMs)
  const stops = [trust.onChange(() => void look()), leader.onChange(() => void look())]
  return {
    look,
    close: async () => {
      clearInterval(timer)
      for (const stop of stops) stop()
      await running
    },
  }
}
