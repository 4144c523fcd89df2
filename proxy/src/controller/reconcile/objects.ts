import type { KubeObject } from '../kube/api.ts'

/** What is kept in memory of the objects that are watched. */
export interface SeenNamespace {
  readonly name: string
  /** Pods without a guard are refused there. */
  readonly guarded: boolean
  /** The webhook leaves it alone. */
  readonly leftAlone: boolean
  /** Nothing can be made there any more. */
  readonly ending: boolean
  /** Pods may be exempt there. */
  readonly exempting: boolean
}

/** A pod that the injector has marked. */
export interface GuardedPod {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Of the guard; undefined when the label is no port. */
  readonly port: number | undefined
  /** The model's own port, where it is not the guard that has it. */
  readonly closedPort: number | undefined
}

export interface SeenService {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly selector: Readonly<Record<string, string>>
  /** Numeric target ports. */
  readonly targets: readonly number[]
}

const SYSTEM = ['kube-system', 'kube-public', 'kube-node-lease']

export const seenNamespace = ({ metadata }: KubeObject): SeenNamespace => {
  const injection = metadata.labels?.['postern.dev/injection']
  return {
    name: metadata.name,
    guarded: injection === 'enabled',
    leftAlone: injection === 'disabled' || SYSTEM.includes(metadata.name),
    ending: metadata.deletionTimestamp !== undefined,
    exempting: metadata.labels?.['postern.dev/allow-exempt'] === 'true',
  }
}

export const guardedPod = ({ metadata }: KubeObject): GuardedPod => {
  const labels = metadata.labels ?? {}
  return {
    namespace: metadata.namespace ?? '',
    labels,
    port: portOf(labels['postern.dev/guard-port']),
    closedPort: closedPortOf(metadata.annotations?.['postern.dev/status']),
  }
}

const portOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined

interface Status {
  readonly mode?: unknown
  readonly model?: { readonly port?: unknown } | null
}

/** The annotation is the injector's, but anybody who may write pods can write it: it is good for a hint, nothing else. */
const closedPortOf = (annotation: string | undefined): number | undefined => {
  try {
    const status = JSON.parse(annotation ?? 'null') as Status | null
    const port = status?.model?.port
    return status?.mode === 'service' && typeof port === 'number' ? port : undefined
  } catch {
    return undefined
  }
}

interface Service extends KubeObject {
  readonly spec?: {
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[]
  }
}

export const seenService = ({ metadata, spec }: Service): SeenService => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  uid: metadata.uid ?? '',
  selector: spec?.selector ?? {},
  targets: (spec?.ports ?? [])
    .map(({ port, targetPort = port }) => targetPort)
    .filter((target) => typeof target === 'number'),
})
