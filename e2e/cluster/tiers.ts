/** `api`: etcd, API server, controllers. `full`: a node besides, on which pods run. */
export type Tier = 'api' | 'full'

const API = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl', 'helm'] as const

/** What must be built before a tier can start. */
export const PROGRAMS: Readonly<Record<Tier, readonly string[]>> = {
  api: API,
  full: [...API, 'kube-scheduler', 'kubelet', 'kube-proxy', 'coredns', 'pause'],
}

export interface Cluster {
  /** Of an administrator. */
  readonly kubeconfig: string
  /** The command that, with the path of an OCI archive at its end, gives the image to the nodes. The api tier has none. */
  readonly loader: readonly string[]
  /** Ends every process at once; nothing stays. */
  readonly down: () => Promise<void>
}
