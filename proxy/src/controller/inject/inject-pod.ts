import type { V1Pod } from '@kubernetes/client-node'
import type { InjectContext, InjectSettings } from './settings.ts'

/** Annotation `postern.dev/status`, as JSON. */
export interface InjectStatus {
  readonly version: string
  readonly image: string
  readonly profile: string
  readonly mode: 'takeover' | 'service'
  /** Where the guard listens. */
  readonly port: number
  readonly model: { readonly container: string; readonly port: number; readonly bind: string }
  /** Sentences for the owner of the pod; the webhook returns them as admission warnings too. */
  readonly warnings: readonly string[]
}

export type PodInjection =
  | { readonly kind: 'injected'; readonly pod: V1Pod; readonly status: InjectStatus }
  /** A sentence that says what to write instead. The pod must not be admitted. */
  | { readonly kind: 'refused'; readonly message: string }

/** The pod with a guard beside its model. Pure: the pod that is given stays as it is. An injected pod comes out equal. */
export const injectPod = (_pod: V1Pod, _settings: InjectSettings, _context: InjectContext): PodInjection => ({
  kind: 'refused',
  message: 'The injector is not built yet.',
})
