import type { KubeConfig } from '@kubernetes/client-node'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { Leader } from '../leader.ts'
import type { Trust } from '../trust.ts'

export interface ReconcilerOptions {
  readonly kube: KubeConfig
  readonly config: ReconcilerConfig
  /** Asked before every write. */
  readonly leader: Leader
  readonly trust: Trust
  /** Resolves when the guard's own engine loads the bundle and answers a plain request of each of its roles; throws Error that says why not. */
  tryBundle(bytes: Uint8Array): Promise<void>
  /** The policy that is compiled into this program: what is in force, with merged data, while there is no Rego of others. */
  readonly builtIn: BuiltInPolicy
  readonly log: Log
  readonly meter: Meter
}

/** The parts of the controller's configuration that say what is written where. */
export interface ReconcilerConfig {
  /** The release namespace: policies are read there, and the bundle is kept there. */
  readonly namespace: string
  /** ClusterRole that owns all that is made, so that an uninstall takes it away. */
  readonly owner: string
  readonly guardPort: number
  readonly adminPort: number
  readonly policies: {
    readonly enabled: boolean
    /** Folder with `postern/`, `schemas/` and `generated/capabilities.json`. */
    readonly sources: string
    /** Path of the program `opa`. Needed only when a ConfigMap has Rego. */
    readonly opa: string
  }
  readonly networkPolicies: {
    readonly enabled: boolean
    /** From where the admin port may be reached. Empty: from nowhere but the node. */
    readonly monitoringNamespaces: readonly string[]
    /** From where the guard may be reached. Empty: from anywhere. */
    readonly clientNamespaces: readonly string[]
  }
}

export interface BuiltInPolicy {
  readonly wasm: Uint8Array
  /** data.json, parsed. */
  readonly data: Readonly<Record<string, unknown>>
}
