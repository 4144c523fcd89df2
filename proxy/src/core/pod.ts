/**
 * What the injector tells one guard about the pod that it guards: JSON in the environment variable POSTERN_POD. Everything that
 * decides about safety is in the profile (POSTERN_CONFIG), which is the same in all pods and which admission compares.
 */
export interface PodOverlay {
  readonly listen: {
    /** `pod`: the pod's own address only (environment variable POD_IP), so that the model may have the port on loopback. */
    readonly address: 'any' | 'pod'
    readonly port: number
  }
  readonly adminPort: number
  /** Takes the place of the URL of the upstream named `model`. */
  readonly modelUrl: string
  /** Names that clients may ask for, all at the upstream `model`; those of the profile when empty. */
  readonly models: readonly string[]
  /** Probes of the pod's other containers, which the guard makes for the kubelet: a model on loopback cannot be reached otherwise. */
  readonly probes: readonly Probe[]
  /** Until running answers are cut at the end of the pod. */
  readonly drainSeconds: number
}

/** One probe. The kubelet asks for `path` at the admin port; 200 means that the container answered well. */
export interface Probe {
  /** `/app-health/<container>/<startup|liveness|readiness>` */
  readonly path: string
  readonly action: ProbeAction
  /** Seconds, as in Kubernetes. */
  readonly timeoutSeconds: number
}

export type ProbeAction =
  | {
      readonly kind: 'http'
      readonly scheme: 'HTTP' | 'HTTPS'
      readonly port: number
      readonly path: string
      readonly headers: readonly { readonly name: string; readonly value: string }[]
    }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'grpc'; readonly port: number; readonly service: string }
