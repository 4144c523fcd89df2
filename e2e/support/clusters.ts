import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { upApi } from '../cluster/api-cluster.ts'
import { missing } from '../cluster/folders.ts'

/** What the specs of a tier are told, through the environment, about the cluster that setup made. */
export interface Cluster {
  readonly kubeconfig: string
  readonly url: string
}

const API_PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']

let down: (() => Promise<void>) | undefined

export const setUpApi = async (): Promise<void> => {
  if (cannot(missing(API_PROGRAMS), 'api')) return
  const cluster = await upApi(mkdtempSync(join(tmpdir(), 'postern-e2e-')))
  down = cluster.down
  tell(cluster)
}

export const setUpFull = (): Promise<void> => {
  cannot(['the full tier, which is not written yet'], 'full')
  return Promise.resolve()
}

export const tearDown = async (): Promise<void> => {
  await down?.()
  down = undefined
}

const tell = ({ kubeconfig, url }: Cluster): void => {
  process.env.POSTERN_E2E_CLUSTER = JSON.stringify({ kubeconfig, url } satisfies Cluster)
}

/** Whether the tier must be skipped; where nothing may be skipped, an error that says what to do. */
const cannot = (lacking: readonly string[], tier: 'api' | 'full'): boolean => {
  if (lacking.length === 0) return false
  const reason = `missing: ${lacking.join(', ')}; run node e2e/cluster/cluster.ts build ${tier}`
  if (process.env.CI) throw new Error(reason)
  process.stderr.write(`e2e ${tier}: every test is skipped, ${reason}\n`)
  process.env.POSTERN_E2E_MISSING = reason
  return true
}
