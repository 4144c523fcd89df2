import { find, pick, podTemplates } from './manifests.ts'
import type { Manifest } from './helm.ts'
import { containersOf } from './pod-security.ts'

type Labels = Readonly<Record<string, string>>

/**
 * Names that lead nowhere: mounts without a volume and volumes nobody mounts, ConfigMaps and Secrets that no pod reads or that are
 * read and not there, ServiceAccounts and claims likewise, selectors and target ports that match no pod.
 * `elsewhere` are names that the user of the chart makes.
 */
export const looseEnds = (
  manifests: readonly Manifest[],
  elsewhere: readonly string[] = [],
): readonly string[] => {
  const pods = podTemplates(manifests)
  return [
    ...pods.flatMap(({ of, pod }) =>
      mountProblems(pod).map((problem) => `${of.kind} ${of.metadata.name}: ${problem}`),
    ),
    ...referenceProblems(manifests, elsewhere),
    ...manifests.flatMap((manifest) =>
      selectorProblems(
        manifest,
        pods.map(({ pod }) => pod),
      ),
    ),
  ]
}

const mountProblems = (pod: Manifest): readonly string[] => {
  const volumes = ((pick(pod, 'spec.volumes') ?? []) as readonly { name: string }[]).map(({ name }) => name)
  const mounted = containersOf(pod).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))
  return [
    ...mounted.filter((name) => !volumes.includes(name)).map((name) => `there is no volume ${name}`),
    ...volumes.filter((name) => !mounted.includes(name)).map((name) => `nobody mounts ${name}`),
  ]
}

const KINDS = ['ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim']

const referenceProblems = (
  manifests: readonly Manifest[],
  elsewhere: readonly string[],
): readonly string[] => {
  const made = manifests
    .filter(({ kind }) => KINDS.includes(kind))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
  const read = new Set(podTemplates(manifests).flatMap(({ pod }) => references(pick(pod, 'spec'), '')))
  return [
    ...[...read]
      .filter((name) => !made.includes(name) && !elsewhere.includes(name))
      .map((name) => `there is no ${name}`),
    ...made.filter((name) => !read.has(name)).map((name) => `no pod uses ${name}`),
  ]
}

const references = (at: unknown, key: string): readonly string[] => {
  if (typeof at === 'string') {
    const kind = {
      secretName: 'Secret',
      claimName: 'PersistentVolumeClaim',
      serviceAccountName: 'ServiceAccount',
    }[key]
    return kind === undefined ? [] : [`${kind}/${at}`]
  }
  if (typeof at !== 'object' || at === null) return []
  const { name } = at as { readonly name?: unknown }
  const kind = key.startsWith('configMap')
    ? 'ConfigMap'
    : key.startsWith('secret') && key !== 'securityContext'
      ? 'Secret'
      : undefined
  return [
    ...(kind !== undefined && typeof name === 'string' ? [`${kind}/${name}`] : []),
    ...Object.entries(at).flatMap(([below, value]) => references(value, Array.isArray(at) ? key : below)),
  ]
}

const selectorProblems = (manifest: Manifest, pods: readonly Manifest[]): readonly string[] => {
  const paths: Readonly<Record<string, string>> = {
    Service: 'spec.selector',
    Deployment: 'spec.selector.matchLabels',
    DaemonSet: 'spec.selector.matchLabels',
    PodDisruptionBudget: 'spec.selector.matchLabels',
    PodMonitor: 'spec.selector.matchLabels',
    NetworkPolicy: 'spec.podSelector.matchLabels',
  }
  const path = paths[manifest.kind]
  if (path === undefined) return []
  const selector = (pick(manifest, path) ?? {}) as Labels
  // The injector adds that label to the pods that ask for a guard.
  const given = (labels: Labels = {}): Labels =>
    labels['postern.dev/inject'] === 'true'
      ? { ...labels, 'postern.dev/guard-port': selector['postern.dev/guard-port'] ?? '' }
      : labels
  const selected = pods.filter((pod) =>
    Object.entries(selector).every(([key, value]) => given(pod.metadata.labels)[key] === value),
  )
  const name = `${manifest.kind} ${manifest.metadata.name}`
  if (selected.length === 0) return [`${name} selects no pod`]
  if (manifest.kind !== 'Service') return []
  const ports = selected.flatMap((pod) =>
    containersOf(pod).flatMap(
      ({ ports = [] }) => ports as readonly { name: string; containerPort: number }[],
    ),
  )
  return (pick(manifest, 'spec.ports') as readonly { targetPort: string | number }[])
    .filter(
      ({ targetPort }) =>
        !ports.some((port) => port.name === targetPort || port.containerPort === targetPort),
    )
    .map(({ targetPort }) => `${name} leads to port ${targetPort}, which no container has`)
}

/** The text under a key of a ConfigMap. */
export const configOf = (manifests: readonly Manifest[], name: string, key: string): string =>
  String((pick(find(manifests, 'ConfigMap', name), 'data') as Labels)[key])
