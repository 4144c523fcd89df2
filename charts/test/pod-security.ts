import { pick } from './manifests.ts'

interface Container {
  readonly name: string
  readonly restartPolicy?: string
  readonly ports?: readonly { readonly hostPort?: number }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

/**
 * What Pod Security `restricted` would refuse in a pod, and three things it does not ask for: a read-only root, memory limits, and no
 * token of the API server. Source: kubernetes.io/docs/concepts/security/pod-security-standards.
 */
export const podProblems = (pod: unknown): readonly string[] => {
  const spec = pick(pod, 'spec') as Readonly<Record<string, unknown>>
  const volumes = (spec.volumes ?? []) as readonly Readonly<Record<string, unknown>>[]
  return [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true),
    ...(spec.automountServiceAccountToken === false ? [] : ['token is mounted']),
    ...volumes.flatMap((volume) =>
      Object.keys(volume)
        .filter((key) => key !== 'name' && !VOLUMES.includes(key))
        .map((kind) => `volume ${String(volume.name)} is a ${kind}`),
    ),
    ...containersOf(pod).flatMap((container) => containerProblems(spec, container)),
  ]
}

/** Containers and init containers. */
export const containersOf = (pod: unknown): readonly Container[] =>
  ['initContainers', 'containers'].flatMap(
    (field) => (pick(pod, `spec.${field}`) ?? []) as readonly Container[],
  )

const containerProblems = (spec: unknown, container: Container): readonly string[] => {
  const own = container.securityContext ?? {}
  const effective = (field: string): unknown => own[field] ?? pick(spec, `securityContext.${field}`)
  const problems = {
    'may run as root': effective('runAsNonRoot') !== true || effective('runAsUser') === 0,
    'may escalate': own.allowPrivilegeEscalation !== false,
    'is privileged': own.privileged === true,
    'keeps capabilities': JSON.stringify(pick(own, 'capabilities')) !== '{"drop":["ALL"]}',
    'has no seccomp profile': pick(effective('seccompProfile'), 'type') !== 'RuntimeDefault',
    'writes its root': own.readOnlyRootFilesystem !== true,
    'has no memory limit': pick(container, 'resources.limits.memory') === undefined,
    'takes a port of the node': (container.ports ?? []).some(({ hostPort }) => hostPort !== undefined),
  }
  return Object.entries(problems)
    .filter(([, wrong]) => wrong)
    .map(([problem]) => `${container.name} ${problem}`)
}
