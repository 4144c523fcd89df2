import { injectPod, type InjectStatus } from './inject-pod.ts'
import { label, type InjectSettings } from './settings.ts'

/** Any object of Kubernetes, as JSON. */
export type Manifest = Readonly<Record<string, unknown>>

export type WorkloadInjection =
  | {
      readonly kind: 'injected'
      readonly object: Manifest
      readonly status: InjectStatus
      /** Labels of the pods, the guard's included: what selectors of Services see. */
      readonly labels: Readonly<Record<string, string>>
    }
  /** No pods of its own, or none that shall have a guard. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'refused'; readonly message: string }

export interface WorkloadOptions {
  readonly settings: InjectSettings
  /** Of objects that name none. */
  readonly namespace: string
  /** Also pods without the label, which get it; those labelled exempt stay as they are. */
  readonly all: boolean
}

/** Where the pod stands in an object of each kind. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  'v1/Pod': [],
  'v1/ReplicationController': ['spec', 'template'],
  'v1/PodTemplate': ['template'],
  'apps/v1/Deployment': ['spec', 'template'],
  'apps/v1/StatefulSet': ['spec', 'template'],
  'apps/v1/DaemonSet': ['spec', 'template'],
  'apps/v1/ReplicaSet': ['spec', 'template'],
  'batch/v1/Job': ['spec', 'template'],
  'batch/v1/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
}

/** The object with a guard in its pods, when their label asks for one. Pure: the object that is given stays as it is. */
export const injectWorkload = (object: Manifest, options: WorkloadOptions): WorkloadInjection => {
  const place = PLACES[`${String(object['apiVersion'])}/${String(object['kind'])}`]
  if (!place) return { kind: 'skipped' }
  const pod = at(object, place)
  if (!isMap(pod)) return { kind: 'skipped' }
  const labels = textsIn(at(pod, ['metadata', 'labels']))
  const labelled = labels[label.inject] === 'true'
  if (!labelled && (!options.all || labels['postern.dev/exempt'] === 'true')) return { kind: 'skipped' }
  const metadata = at(object, ['metadata'])
  const context = {
    namespace: textIn(metadata, 'namespace') ?? options.namespace,
    workload:
      `${String(object['kind'])} ${textIn(metadata, 'name') ?? textIn(metadata, 'generateName') ?? ''}`.trim(),
  }
  const asked = labelled ? pod : withLabel(pod, labels)
  const result = injectPod(asked, options.settings, context)
  if (result.kind === 'refused') return result
  return {
    kind: 'injected',
    object: put(object, place, result.pod) as Manifest,
    status: result.status,
    labels: result.pod.metadata?.labels ?? {},
  }
}

const withLabel = (pod: Manifest, labels: Readonly<Record<string, string>>): Manifest => ({
  ...pod,
  metadata: { ...(pod['metadata'] as object), labels: { ...labels, [label.inject]: 'true' } },
})

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce((inner, key) => (isMap(inner) ? inner[key] : undefined), value)

const put = (value: unknown, [key, ...rest]: readonly string[], inner: unknown): unknown =>
  key === undefined ? inner : { ...(value as Manifest), [key]: put((value as Manifest)[key], rest, inner) }

const textIn = (value: unknown, key: string): string | undefined => {
  const text = isMap(value) ? value[key] : undefined
  return typeof text === 'string' ? text : undefined
}

/** Labels that are no texts are left to the check of the pod's shape. */
const textsIn = (value: unknown): Readonly<Record<string, string>> =>
  isMap(value) ? (value as Readonly<Record<string, string>>) : {}

const isMap = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
