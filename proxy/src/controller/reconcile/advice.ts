import type { KubeObject } from '../kube/api.ts'
import type { Notice } from '../kube/events.ts'
import type { GuardedPod, SeenNamespace, SeenService } from './objects.ts'

export interface SeenPod extends KubeObject {
  readonly spec?: {
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[]
  }
  readonly status?: { readonly phase?: string }
}

const INJECTION = 'postern.dev/injection'

/** Pods of a guarded namespace that run, or are about to, without a guard, and are not exempt. */
export const unguarded = (namespace: SeenNamespace, pods: readonly SeenPod[]): readonly SeenPod[] =>
  pods.filter(({ metadata, spec, status }) => {
    const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed'
    const exempt = namespace.exempting && metadata.labels?.['postern.dev/exempt'] === 'true'
    const guarded = spec?.initContainers?.some(
      ({ name, restartPolicy }) => name === 'postern' && restartPolicy === 'Always',
    )
    return !ended && !exempt && guarded !== true && metadata.deletionTimestamp === undefined
  })

export const guardMissing = ({ metadata }: SeenPod): Notice => {
  const { namespace = '', name, uid = '' } = metadata
  return {
    type: 'Warning',
    reason: 'GuardMissing',
    message:
      `This pod has no guard, although namespace ${namespace} is labelled ${INJECTION}=enabled: it was there before. ` +
      `Replace it: ${replacing(metadata)}`,
    about: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
  }
}

/** The Deployment's name is that of its ReplicaSet without the hash. */
const replacing = ({ namespace = '', name, labels, ownerReferences }: KubeObject['metadata']): string => {
  const owner = ownerReferences?.[0]
  const hash = `-${labels?.['pod-template-hash'] ?? ''}`
  const restart = `kubectl -n ${namespace} rollout restart`
  if (owner?.kind === 'ReplicaSet' && hash !== '-' && owner.name.endsWith(hash)) {
    return `${restart} deployment/${owner.name.slice(0, -hash.length)}`
  }
  if (owner?.kind === 'StatefulSet' || owner?.kind === 'DaemonSet') {
    return `${restart} ${owner.kind.toLowerCase()}/${owner.name}`
  }
  return owner === undefined
    ? 'make it again from its manifest'
    : `kubectl -n ${namespace} delete pod ${name}; its ${owner.kind} ${owner.name} makes a new one`
}

/** Services that send to the model's own port, which only the guard may reach. */
export const closedTargets = (
  services: readonly SeenService[],
  pods: readonly GuardedPod[],
): readonly Notice[] => {
  const closing = Map.groupBy(
    pods.filter(({ closedPort, port }) => closedPort !== undefined && closedPort !== port),
    ({ namespace }) => namespace,
  )
  return services.flatMap((service) => {
    const labels = Object.entries(service.selector)
    if (labels.length === 0) return []
    const pod = closing
      .get(service.namespace)
      ?.find(
        (candidate) =>
          service.targets.some((target) => target === candidate.closedPort) &&
          labels.every(([key, value]) => candidate.labels[key] === value),
      )
    return pod?.closedPort === undefined ? [] : [targetClosed(service, pod.closedPort, pod.port)]
  })
}

const targetClosed = (
  { namespace, name, uid }: SeenService,
  closed: number,
  guard: number | undefined,
): Notice => ({
  type: 'Warning',
  reason: 'ModelPortClosed',
  message:
    `This Service sends to port ${closed} of guarded pods, the model's own, where nobody but the guard is let in. ` +
    `Send to the guard${guard === undefined ? '' : ` at ${guard}`}: ` +
    `kubectl -n ${namespace} label service ${name} postern.dev/inject=true`,
  about: { apiVersion: 'v1', kind: 'Service', namespace, name, uid },
})
