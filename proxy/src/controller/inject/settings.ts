/** How guards are put beside models: the `injection` section of the controller's configuration, files read. */
export interface InjectSettings {
  /** Of the guard, for the status annotation. */
  readonly version: string
  readonly image: string
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  /** Name to the YAML of a complete guard configuration, byte for byte as it reaches the guard. */
  readonly profiles: ReadonlyMap<string, string>
  /** Kubernetes quantities. Both are requested; memory is the limit too. */
  readonly resources: { readonly cpu: string; readonly memory: string; readonly memoryLimit: string }
  /** How long running answers may go on when a pod ends. */
  readonly drainSeconds: number
  readonly adminPort: number
  /** Where guards listen in service mode. */
  readonly guardPort: number
  /** Init containers that stay before the guard, such as one that verifies the model's signature. */
  readonly after: readonly string[]
  readonly identity: 'controller' | 'csi-driver-spiffe' | 'spire' | 'none'
  /** Audience of the token that guards show to the controller. */
  readonly audience: string
}

/** What is known about a pod besides the pod itself. */
export interface InjectContext {
  /** Pods made from a template have none of their own at admission. */
  readonly namespace: string
  /** Kind and name of the object that the pod is part of, for messages; the pod itself when absent. */
  readonly workload?: string
}

export const label = {
  inject: 'postern.dev/inject',
  injected: 'postern.dev/injected',
  guardPort: 'postern.dev/guard-port',
} as const

export const GUARD = 'postern'
