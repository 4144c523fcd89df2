import { isObject } from '../../core/json.ts'
import { readJson } from '../../core/strict-json.ts'
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
  /** What the guard itself was told, which it can do nothing else than follow; undefined when there is none or it cannot be read. */
  readonly told: { readonly adminPort: number; readonly modelPort: number } | undefined
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

interface Pod extends KubeObject {
  readonly spec?: {
    readonly initContainers?: readonly {
      readonly name: string
      readonly env?: readonly { readonly name: string; readonly value?: string }[]
    }[]
  }
}

export const guardedPod = ({ metadata, spec }: Pod): GuardedPod => {
  const labels = metadata.labels ?? {}
  return {
    namespace: metadata.namespace ?? '',
    labels,
    port: portOf(labels['postern.dev/guard-port']),
    closedPort: closedPortOf(metadata.annotations?.['postern.dev/status']),
    told: toldIn(spec),
  }
}

const LIMITS = { depth: 16, nodes: 4096, keys: 1024 }

const toldIn = (spec: Pod['spec']): GuardedPod['told'] => {
  const guard = spec?.initContainers?.find(({ name }) => name === 'postern')
  const text = guard?.env?.find(({ name }) => name === 'POSTERN_POD')?.value
  if (text === undefined) return undefined
  try {
    const overlay = readJson(Buffer.from(text), LIMITS)
    if (!isObject(overlay)) return undefined
    const { adminPort, modelUrl } = overlay
    if (typeof modelUrl !== 'string' || typeof adminPort !== 'number') return undefined
    const { port, protocol } = new URL(modelUrl)
    const modelPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
    return portOf(String(adminPort)) === undefined ? undefined : { adminPort, modelPort }
  } catch {
    return undefined
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
