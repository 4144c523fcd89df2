import { CoordinationV1Api, V1MicroTime } from '@kubernetes/client-node'
import type { KubeConfig, V1Lease, V1OwnerReference } from '@kubernetes/client-node'
import { asModel, kubeError, statusOf } from '../kube.ts'

export interface LeaseOptions {
  readonly kube: KubeConfig
  readonly namespace: string
  readonly lease: string
  /** Differs from that of every other process, also of an earlier one in this pod. */
  readonly identity: string
  /** How long the others wait after the last renewal that they saw. A whole number of seconds reaches the Lease, rounded up. */
  readonly leaseMs: number
  /** Asked when the Lease is made. */
  readonly owner: () => Promise<V1OwnerReference | undefined>
}

export interface LeaseClient {
  /** Undefined when there is none. */
  read(): Promise<V1Lease | undefined>
  /** Makes this process the holder. False when the Lease has changed since it was read. */
  write(current: V1Lease | undefined): Promise<boolean>
  /** Leaves the Lease without a holder when this process holds it. */
  release(): Promise<void>
}

export const leaseClient = (options: LeaseOptions): LeaseClient => {
  const { kube, namespace, lease: name } = options
  const api = kube.makeApiClient(CoordinationV1Api)
  const read = async (): Promise<V1Lease | undefined> => {
    try {
      return await api.readNamespacedLease({ namespace, name })
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw kubeError(`read Lease ${namespace}/${name}`, error)
    }
  }
  const write = async (current: V1Lease | undefined): Promise<boolean> => {
    try {
      if (current === undefined) {
        const owner = await options.owner()
        await api.createNamespacedLease({ namespace, body: held(undefined, options, owner) })
      } else await api.replaceNamespacedLease({ namespace, name, body: held(current, options) })
      return true
    } catch (error) {
      if (statusOf(error) === 409) return false
      throw kubeError(`write Lease ${namespace}/${name}`, error)
    }
  }
  const release = async (): Promise<void> => {
    const current = await read()
    if (current?.spec?.holderIdentity !== options.identity) return
    const body = held(current, { ...options, identity: '', leaseMs: 1 })
    await api.replaceNamespacedLease({ namespace, name, body })
  }
  return { read, write, release }
}

const held = (current: V1Lease | undefined, options: LeaseOptions, owner?: V1OwnerReference): V1Lease => {
  const { namespace, lease: name, identity, leaseMs } = options
  const spec = current?.spec
  const same = spec?.holderIdentity === identity
  const now = new V1MicroTime()
  return asModel<V1Lease>({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      namespace,
      name,
      ...(current?.metadata?.resourceVersion !== undefined && {
        resourceVersion: current.metadata.resourceVersion,
      }),
      ownerReferences: owner === undefined ? (current?.metadata?.ownerReferences ?? []) : [owner],
    },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: (same ? spec.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (spec?.leaseTransitions ?? 0) + (same ? 0 : 1),
    },
  })
}
