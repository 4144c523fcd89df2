import { CoreV1Api, type KubeConfig, type V1Pod, type V1Service } from '@kubernetes/client-node'
import type { Log } from '../../core/log.ts'
import { GUARD, label } from '../inject/settings.ts'
import { kubeError, statusOf } from '../kube.ts'
import { serviceNames } from '../pki/server-certificate.ts'
import { ApiError } from './api-error.ts'
import type { Account } from './token.ts'

export interface GuardedPodOptions {
  readonly kube: KubeConfig
  readonly clusterDomain: string
  readonly log: Log
}

/** Longest list of names in one certificate: a pod behind more Services gets those that come first by name. */
const MAX_SERVICES = 32

/**
 * The DNS names of the Services that select the pod of the account. Throws ApiError 403 when the pod is not there, is another one of that name, has
 * ended, or has no guard; 503 when the API server does not answer.
 */
export const guardedPodNames = ({ kube, clusterDomain, log }: GuardedPodOptions) => {
  const api = kube.makeApiClient(CoreV1Api)
  const ask = async <T>(what: string, call: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await call()
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      log.warn('identity_lookup_failed', { why: kubeError(what, error).message })
      throw new ApiError(503, 'the Kubernetes API server cannot be asked about the pod; try again', 5)
    }
  }
  return async (account: Account): Promise<readonly string[]> => {
    const { namespace, pod: bound } = account
    if (bound === undefined)
      throw new ApiError(403, 'the token is not bound to a pod: use a projected serviceAccountToken volume')
    const pod = await ask('read the pod', () => api.readNamespacedPod({ namespace, name: bound.name }))
    checkPod(pod, account, bound.uid)
    const services = await ask('list Services', () => api.listNamespacedService({ namespace }))
    return (services?.items ?? [])
      .filter((service) => selects(service, pod?.metadata?.labels ?? {}))
      .map((service) => service.metadata?.name ?? '')
      .sort()
      .slice(0, MAX_SERVICES)
      .flatMap((name) => serviceNames(name, namespace, clusterDomain))
  }
}

const checkPod = (pod: V1Pod | undefined, account: Account, uid: string): void => {
  if (pod?.metadata?.uid !== uid) throw new ApiError(403, 'the pod of the token is not there')
  if (pod.spec?.serviceAccountName !== account.name)
    throw new ApiError(403, 'the pod of the token runs as another ServiceAccount')
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
    throw new ApiError(403, 'the pod of the token has ended')
  const guard = pod.spec.initContainers?.find(({ name }) => name === GUARD)
  if (pod.metadata.labels?.[label.injected] !== 'true' || guard?.restartPolicy !== 'Always')
    throw new ApiError(403, 'the pod of the token has no guard: only injected pods get a certificate')
}

const selects = ({ spec }: V1Service, labels: Readonly<Record<string, string>>): boolean => {
  const selector = Object.entries(spec?.selector ?? {})
  return (
    spec?.type !== 'ExternalName' &&
    selector.length > 0 &&
    selector.every(([key, value]) => labels[key] === value)
  )
}
