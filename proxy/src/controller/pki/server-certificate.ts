import { isIP } from 'node:net'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { AuthorityKeeper } from './keeper.ts'
import { CLOCK_SKEW_MS } from './state.ts'
import { newKey } from './x509.ts'

/** PEM texts that belong together. */
export interface ServerMaterial {
  readonly cert: string
  readonly key: string
}

export interface ServerCertificate {
  current(): ServerMaterial
  close(): Promise<void>
}

export interface OwnCertificateOptions {
  readonly keeper: AuthorityKeeper
  readonly names: { readonly dns: readonly string[]; readonly ip: readonly string[] }
  readonly lifeMs: number
  /** Called with each certificate after the first one. */
  readonly apply: (material: ServerMaterial) => void
  readonly log: Log
  readonly meter: Meter
}

/** Names under which a Service is reached, the longest last. */
export const serviceNames = (name: string, namespace: string, clusterDomain: string): readonly string[] => [
  name,
  `${name}.${namespace}`,
  `${name}.${namespace}.svc`,
  `${name}.${namespace}.svc.${clusterDomain}`,
]

/** The address itself when it is one that clients can name: for webhooks that are registered by URL. */
export const listenAddresses = (host: string): readonly string[] =>
  isIP(host) === 0 || host === '0.0.0.0' || host === '::' ? [] : [host]

const CHECK_MS = 60_000

/** A certificate by the own CA, whose key never leaves this process. Renewed at two thirds of its life, and when another CA signs. */
export const ownCertificate = async (options: OwnCertificateOptions): Promise<ServerCertificate> => {
  const { keeper, lifeMs, log, meter } = options
  let issued = await issue(options)
  let failing = false
  const renew = async (): Promise<void> => {
    const due = Date.now() - issued.from > (lifeMs * 2) / 3 || issued.authorities !== keeper.authorities()
    if (!due) return
    try {
      issued = await issue(options)
      options.apply(issued.material)
      failing = false
      log.info('server_certificate_renewed')
    } catch (cause) {
      meter.add('postern_controller_certificates_total', 1, 'server', 'failed')
      if (!failing) log.error('server_certificate_failed', { cause: cause as Error, kept: true })
      failing = true
    }
  }
  let running: Promise<void> = Promise.resolve()
  const queue = (): void => void (running = running.then(renew))
  const timer = setInterval(queue, CHECK_MS)
  const stop = keeper.onChange(queue)
  return {
    current: () => issued.material,
    close: async () => {
      clearInterval(timer)
      stop()
      await running
    },
  }
}

const issue = async ({ keeper, names, lifeMs, meter }: OwnCertificateOptions) => {
  const from = Date.now()
  const { key, publicKey } = newKey()
  const { certificate, authorities } = await keeper.sign({
    publicKey,
    names,
    notBefore: new Date(from - CLOCK_SKEW_MS),
    notAfter: new Date(from + lifeMs),
    usage: ['server'],
  })
  meter.add('postern_controller_certificates_total', 1, 'server', 'issued')
  meter.set('postern_controller_certificate_end_seconds', (from + lifeMs) / 1000, 'server')
  return { from, authorities, material: { cert: certificate, key } }
}
