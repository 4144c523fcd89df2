import { randomBytes } from 'node:crypto'
import { helm, kubectl, type Run } from '../cluster/kubectl.ts'
import { eventually } from '../cluster/processes.ts'
import type { Cluster } from './clusters.ts'

export interface Api extends Cluster {
  /** What kubectl writes to stdout; an Error with its stderr when it fails. */
  readonly kubectl: Run
  readonly helm: Run
  /** Server-side apply. */
  readonly apply: (yaml: string) => Promise<string>
  /** A fresh namespace `<prefix>-<random>`, in which pods can be made at once. */
  readonly namespace: (prefix: string) => Promise<string>
}

/** The cluster of this jest run. Throws when there is none. */
export const api = (): Promise<Api> => {
  const told = process.env.POSTERN_E2E_CLUSTER
  if (!told) throw new Error('there is no cluster; run node e2e/cluster/cluster.ts build api')
  const cluster = JSON.parse(told) as Cluster
  const k = kubectl(cluster.kubeconfig)
  return Promise.resolve({
    ...cluster,
    kubectl: k,
    helm: helm(cluster.kubeconfig),
    apply: (yaml) => k(['apply', '--server-side', '--force-conflicts', '-f', '-'], yaml),
    namespace: async (prefix) => {
      const name = `${prefix}-${randomBytes(4).toString('hex')}`
      await k(['create', 'namespace', name])
      await eventually(() => k(['-n', name, 'get', 'serviceaccount', 'default']), 20)
      return name
    },
  })
}
