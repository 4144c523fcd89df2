import { createHash } from 'node:crypto'
import type { Environment, NodePool } from './environment.ts'

/** A pod's name for the cloud: only this ServiceAccount of this namespace gets the identity. */
export interface Workload {
  readonly namespace: string
  readonly serviceAccount: string
}

/** Workloads with an identity of the cloud, the same on every cloud. */
export const WORKLOADS = {
  /** Alone may write to the audit bucket. */
  shipper: { namespace: 'logging', serviceAccount: 'audit-shipper' },
  loki: { namespace: 'logging', serviceAccount: 'loki' },
  /** Writes names into the private zone. */
  dns: { namespace: 'dns', serviceAccount: 'external-dns' },
  /** On AWS; the other clouds scale node pools themselves. */
  autoscaler: { namespace: 'autoscaler', serviceAccount: 'cluster-autoscaler' },
} as const satisfies Record<string, Workload>

/** Images that the registry holds: the guard, and Fluentd with its outputs. */
export const IMAGES = ['postern', 'fluentd'] as const

/** The taint of nodes with GPUs, so that nothing else fills them; charts/llm-api tolerates it by `tolerations`. */
export const GPU_TAINT = { key: 'nvidia.com/gpu', value: 'present' } as const

/** The taint of nodes that the cloud may take back: only what says it can be moved runs there. */
export const SPOT_TAINT = { key: 'postern.dev/spot', value: 'present' } as const

/** Labels of a pool's nodes. */
export const poolLabels = ({ name, gpu, spot }: NodePool) => ({
  'postern.dev/pool': name,
  ...(gpu === undefined ? {} : { 'postern.dev/gpu': gpu.product }),
  ...(spot === true ? { [SPOT_TAINT.key]: SPOT_TAINT.value } : {}),
})

/** Taints of a pool's nodes. */
export const poolTaints = ({ gpu, spot }: NodePool) => [
  ...(gpu === undefined ? [] : [GPU_TAINT]),
  ...(spot === true ? [SPOT_TAINT] : []),
]

/**
 * Name of the audit bucket. Buckets share one name space with the whole cloud, so the account is part of it. On Azure it is the name of a
 * storage account: letters and digits, at most 24.
 */
export const auditBucket = (environment: Environment): string => bucket(environment, 'audit')

/** Name of the bucket, or storage account, with the logs of Loki. */
export const lokiBucket = (environment: Environment): string => bucket(environment, 'loki')

const bucket = (environment: Environment, purpose: string): string => {
  switch (environment.cloud) {
    case 'aws':
      return `${environment.name}-${purpose}-${environment.accountId}`
    case 'google':
      return `${environment.name}-${purpose}-${environment.projectNumber}`
    case 'azure':
      return shortName(environment, purpose)
  }
}

/** A name for what Azure allows 24 letters and digits: the environment's, cut, and a hash of the subscription, which makes it its own. */
export const shortName = (
  environment: Extract<Environment, { readonly cloud: 'azure' }>,
  purpose: string,
): string => {
  const hash = createHash('sha256').update(`${environment.subscriptionId} ${environment.name}`).digest('hex')
  return `${environment.name.replaceAll('-', '').slice(0, 10)}${purpose}${hash.slice(0, 6)}`
}
