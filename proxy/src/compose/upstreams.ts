import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Models } from '../core/upstream.ts'
import type { Config } from '../config/schema.ts'
import type { UpstreamOptions } from '../upstream/options.ts'
import { modelPool } from '../upstream/pool.ts'
import { readOptional } from './files.ts'
import { given } from './given.ts'
import { followed } from './model-registry.ts'

type UpstreamConfig = Config['upstreams'][number]

export const composeModels = (config: Config, parts: { readonly meter: Meter; readonly log: Log }): Models =>
  modelPool(
    {
      upstreams: config.upstreams.map(upstreamOptions),
      models: followed(config).map(({ name, targets, fallback }) =>
        given({ name, targets: targets.map(given), fallback: fallback?.map(given) }),
      ),
      retry: config.retry,
    },
    parts,
  )

const upstreamOptions = (config: UpstreamConfig): UpstreamOptions =>
  given({ ...config, credential: credentialOf(config), tls: tlsOf(config), pool: given(config.pool) })

/** The header that carries the guard's own credential; callers' credentials never reach a model server. */
export const credentialOf = ({ credential }: UpstreamConfig): UpstreamOptions['credential'] => {
  if (!credential) return undefined
  const scheme = credential.scheme ?? (credential.header === 'authorization' ? 'Bearer' : '')
  const value = credential.value.reveal()
  return { header: credential.header, value: scheme === '' ? value : `${scheme} ${value}` }
}

const tlsOf = ({ tls }: UpstreamConfig): UpstreamOptions['tls'] =>
  tls &&
  given({
    ca: readOptional(tls.caFile),
    cert: readOptional(tls.certFile),
    key: readOptional(tls.keyFile),
    serverName: tls.serverName,
    spiffeIds: tls.spiffeIds,
  })
