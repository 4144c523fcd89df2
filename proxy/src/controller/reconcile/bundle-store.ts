import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Actual } from '../kube/keep.ts'
import type { BundleSource, ServedBundle } from './bundle-source.ts'

export const BUNDLE = 'postern-bundle'
/** Key of `binaryData`. */
export const BUNDLE_KEY = 'postern.tar.gz'
export const REVISION = 'postern.dev/revision'

/** The bundle in a ConfigMap; undefined when it has none that can be read. */
export const bundleIn = (configMap: Actual | undefined): ServedBundle | undefined => {
  const binary = configMap?.['binaryData'] as Readonly<Record<string, string>> | undefined
  const encoded = binary?.[BUNDLE_KEY]
  const revision = configMap?.metadata.annotations?.[REVISION]
  if (encoded === undefined || revision === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  return { bytes, revision, etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"` }
}

export interface BundleStore {
  readonly source: BundleSource
  /** What the ConfigMap is now. A deleted one takes nothing away: the last bundle is served on. */
  seen(configMap: Actual | undefined): void
}

export const bundleStore = (): BundleStore => {
  const changes = new EventTarget()
  let current: ServedBundle | undefined
  return {
    source: {
      current: () => current,
      changed: async (signal) => {
        signal.throwIfAborted()
        await once(changes, 'change', { signal })
      },
    },
    seen: (configMap) => {
      const next = bundleIn(configMap)
      if (next === undefined || next.etag === current?.etag) return
      current = next
      changes.dispatchEvent(new Event('change'))
    },
  }
}
