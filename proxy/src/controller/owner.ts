import { RbacAuthorizationV1Api, type KubeConfig, type V1OwnerReference } from '@kubernetes/client-node'
import type { Log } from '../core/log.ts'
import { asModel, kubeError } from './kube.ts'

/** The ClusterRole that owns what the controller makes, so that an uninstall takes it away. Undefined, and logged, while it cannot be found. */
export const ownerOf = (
  kube: KubeConfig,
  name: string,
  log: Log,
): (() => Promise<V1OwnerReference | undefined>) => {
  const api = kube.makeApiClient(RbacAuthorizationV1Api)
  return async () => {
    try {
      const { metadata } = await api.readClusterRole({ name })
      const uid = metadata?.uid ?? ''
      return asModel<V1OwnerReference>({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        ...{ name, uid },
      })
    } catch (error) {
      log.warn('owner_unknown', { owner: name, why: kubeError('read the ClusterRole', error).message })
      return undefined
    }
  }
}
