import type { BundleSource } from './bundle-source.ts'
import type { ReconcilerOptions } from './parts.ts'

export interface Reconcilers {
  /** Ends every watch and loop; what is being written is finished first. */
  close(): Promise<void>
  readonly bundle: BundleSource
  /** Undefined when what this replica serves is there, else why not, for `/readyz`. */
  unready(): string | undefined
}

/**
 * Keeps what the controller owns in the cluster as it should be: policy bundle, trust, NetworkPolicies, statuses and events.
 * Every replica reads; only the leader writes. Resolves when the first look at the cluster is complete.
 */
export const startReconcilers = (_options: ReconcilerOptions): Promise<Reconcilers> =>
  Promise.reject(new Error('not yet'))
