import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { Order, PodName } from '../../core/orders.ts'
import { label } from '../inject/settings.ts'
import { kubeEvents, type Events } from '../kube/events.ts'
import { KubeError, type KubeApi, type KubeObject } from '../kube/api.ts'
import { FIELD_MANAGER } from '../kube/keep.ts'
import { listPages } from '../kube/informer.ts'
import type { Leader } from '../leader.ts'
import { startLoop, type Loop } from '../reconcile/loop.ts'

export interface QuarantineOptions {
  readonly api: KubeApi
  readonly leader: Leader
  /** Those in force. */
  readonly orders: () => readonly Order[]
  readonly synced: () => boolean
  readonly log: Log
  readonly meter: Meter
}

export const QUARANTINE = 'postern.dev/quarantine'
const POLICY = 'postern-guard-quarantine'
/** Not that of the reconcilers, which take away what they do not want themselves. */
const MANAGED = { 'app.kubernetes.io/managed-by': 'postern-respond' }
/** Guards wait for news when an order comes; they have it before their network is gone. */
const HEAD_START_MS = 1000

/**
 * Keeps the label on the pods that are quarantined and on no others, and in their namespaces a NetworkPolicy that lets nothing in or out
 * of them. The label goes first at the end, so that no pod is left alone with a policy.
 */
export const keepQuarantine = (options: QuarantineOptions): Loop => {
  const { api, orders, leader, synced, log, meter } = options
  const events = kubeEvents(api, log)
  return startLoop({
    ...{ name: 'quarantine', leader, synced, log, meter },
    work: async (signal) => {
      const wanted = orders().flatMap(({ target, ...order }) =>
        target.kind === 'quarantine' ? [{ ...target.pod, why: whyOf(order) }] : [],
      )
      if (wanted.length > 0) await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS))
      const labelled = await labelledPods(api, signal)
      const have = await policies(api, signal)
      for (const namespace of new Set(wanted.map(({ namespace: one }) => one)))
        if (!have.some(({ metadata }) => metadata.namespace === namespace))
          await close(api, namespace, signal)
      const fresh: Wanted[] = []
      for (const pod of wanted)
        if (!labelled.some(({ metadata }) => metadata.uid === pod.uid))
          if (await mark(options, { ...pod, on: true }, signal)) fresh.push(pod)
      for (const { metadata } of labelled)
        if (!wanted.some(({ uid }) => uid === metadata.uid))
          await mark(options, { namespace: '', uid: '', ...metadata, on: false }, signal)
      for (const { metadata } of have)
        if (!wanted.some(({ namespace }) => namespace === metadata.namespace))
          await quietly(404, () =>
            api.call({ method: 'DELETE', path: `${policyPath(metadata.namespace ?? '')}/${POLICY}`, signal }),
          )
      for (const pod of fresh) await tell(events, pod, signal)
    },
  })
}

const labelledPods = (api: KubeApi, signal: AbortSignal): Promise<readonly KubeObject[]> =>
  all({ api, path: '/api/v1/pods', labelSelector: QUARANTINE }, signal)

const policies = (api: KubeApi, signal: AbortSignal): Promise<readonly KubeObject[]> =>
  all(
    {
      api,
      path: '/apis/networking.k8s.io/v1/networkpolicies',
      labelSelector: Object.entries(MANAGED).map(([key, value]) => `${key}=${value}`)[0] ?? '',
    },
    signal,
  )

const all = async (
  collection: Parameters<typeof listPages>[0],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> => {
  const items: KubeObject[] = []
  for await (const page of listPages(collection, signal)) items.push(...page.items)
  return items
}

const policyPath = (namespace: string): string =>
  `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`

const close = async (api: KubeApi, namespace: string, signal: AbortSignal): Promise<void> => {
  const body = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: POLICY, namespace, labels: MANAGED },
    spec: {
      podSelector: { matchLabels: { [QUARANTINE]: 'true' } },
      policyTypes: ['Ingress', 'Egress'],
    },
  }
  const type = 'application/apply-patch+yaml'
  const path = `${policyPath(namespace)}/${POLICY}?fieldManager=${FIELD_MANAGER}&force=true`
  await api.call({ method: 'PATCH', path, body, type, signal })
}

interface Wanted extends PodName {
  readonly why: string
}

const whyOf = ({ id, by, until }: Omit<Order, 'target'>): string =>
  `Quarantined by order ${id} (${by}) until ${new Date(until).toISOString()}: its guard answers nobody, and a NetworkPolicy lets nothing in or out.`

/** For who looks at the pod; the record has it already. */
const tell = async (events: Events, { namespace, name, uid, why }: Wanted, signal: AbortSignal) => {
  const about = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid }
  await events.tell({ type: 'Warning', reason: 'Quarantined', message: why, about }, signal)
}

/** True when it was done. The uid is compared by the API server: another pod of that name is left alone. */
const mark = async (
  { api, log }: QuarantineOptions,
  { on, ...pod }: PodName & { readonly on: boolean },
  signal: AbortSignal,
): Promise<boolean> => {
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}?fieldManager=${FIELD_MANAGER}`
  const body = { metadata: { uid: pod.uid, labels: { [QUARANTINE]: on ? 'true' : null } } }
  const type = 'application/merge-patch+json'
  const done = await quietly([404, 409, 422], () => api.call({ method: 'PATCH', path, body, type, signal }))
  if (done)
    log.warn(on ? 'pod_quarantined' : 'pod_released', {
      namespace: pod.namespace,
      pod: pod.name,
      uid: pod.uid,
    })
  return done
}

const quietly = async (
  statuses: number | readonly number[],
  work: () => Promise<unknown>,
): Promise<boolean> => {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof KubeError && [statuses].flat().includes(error.status)) return false
    throw error
  }
}

/** The pod of an event, when it is there and has a guard; undefined for any other. Rejects when the API server cannot tell. */
export const guardedPod = async (
  api: KubeApi,
  { namespace, pod: name }: { readonly namespace: string; readonly pod: string },
): Promise<PodName | undefined> => {
  const dnsName = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/
  if (!dnsName.test(namespace) || !dnsName.test(name)) return undefined
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`
  try {
    const { metadata } = await api.call<KubeObject>({
      method: 'GET',
      path,
      signal: AbortSignal.timeout(10_000),
    })
    const guarded = metadata.labels?.[label.injected] === 'true'
    return guarded && metadata.uid !== undefined ? { namespace, name, uid: metadata.uid } : undefined
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined
    throw error
  }
}
