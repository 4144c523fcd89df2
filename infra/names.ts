import { createHash } from 'node:crypto'
import type { Environment } from './environment.ts'

/** Namespace and ServiceAccount that alone may write to the audit bucket, on every cloud. */
export const SHIPPER = { namespace: 'logging', serviceAccount: 'audit-shipper' } as const

/** Images that the registry holds: the guard, and Fluentd with its outputs. */
export const IMAGES = ['postern', 'fluentd'] as const

/** The taint of nodes with GPUs, so that nothing else fills them; charts/llm-api tolerates it by `tolerations`. */
export const GPU_TAINT = { key: 'nvidia.com/gpu', value: 'present' } as const

/** Labels of a pool's nodes. */
export const poolLabels = (pool: { readonly name: string; readonly gpu?: { readonly product: string } }) => ({
  'postern.dev/pool': pool.name,
  ...(pool.gpu === undefined ? {} : { 'postern.dev/gpu': pool.gpu.product }),
})

/**
 * Name of the audit bucket. Buckets share one name space with the whole cloud, so the account is part of it. On Azure it is the name of a
 * storage account: letters and digits, at most 24.
 */
export const auditBucket = (environment: Environment): string => {
  switch (environment.cloud) {
    case 'aws':
      return `${environment.name}-audit-${environment.accountId}`
    case 'google':
      return `${environment.name}-audit-${environment.projectNumber}`
    case 'azure':
      return shortName(environment, 'audit')
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
