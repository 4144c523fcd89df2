import type { Log } from '../../core/log.ts'
import type { KubeApi } from '../kube/api.ts'
import { startInformer, type Informer } from '../kube/informer.ts'
import { MANAGED, type Actual } from '../kube/keep.ts'
import { BUNDLE } from './bundle-store.ts'
import {
  guardedPod,
  seenNamespace,
  seenService,
  type GuardedPod,
  type SeenNamespace,
  type SeenService,
} from './objects.ts'
import { seenPolicy, type SeenPolicy } from './policies.ts'
import { TRUST } from './wanted.ts'

export interface Watches {
  readonly dataPolicies: Informer<SeenPolicy>
  readonly regoPolicies: Informer<SeenPolicy>
  readonly bundle: Informer<Actual>
  readonly namespaces: Informer<SeenNamespace>
  readonly pods: Informer<GuardedPod>
  readonly services: Informer<SeenService>
  readonly trust: Informer<Actual>
  readonly networkPolicies: Informer<Actual>
}

export interface WatchOptions {
  readonly api: KubeApi
  readonly log: Log
  /** The release namespace. */
  readonly namespace: string
  /** Whether policies and their bundle are read. */
  readonly policies: boolean
}

export interface Changed {
  readonly policies: () => void
  readonly workloads: () => void
  readonly advice: () => void
}

/** Everything that the reconcilers read. */
export const startWatches = (
  { api, log, namespace, policies: enabled }: WatchOptions,
  changed: Changed,
): Watches => {
  const released = `/api/v1/namespaces/${namespace}/configmaps`
  const policies = (labelSelector: string): Informer<SeenPolicy> =>
    enabled
      ? startInformer({
          ...{ api, log, labelSelector, path: released },
          ...{ keep: seenPolicy, onChange: changed.policies },
        })
      : nothing
  const both = (): void => {
    changed.workloads()
    changed.advice()
  }
  return {
    dataPolicies: policies('openpolicyagent.org/data=opa'),
    regoPolicies: policies('openpolicyagent.org/policy=rego'),
    bundle: enabled
      ? startInformer<Actual, Actual>({
          ...{ api, log, path: released, fieldSelector: `metadata.name=${BUNDLE}` },
          ...{ keep: whole, onChange: changed.policies },
        })
      : nothing,
    namespaces: startInformer({
      ...{ api, log, path: '/api/v1/namespaces' },
      ...{ keep: seenNamespace, onChange: both },
    }),
    pods: startInformer({
      ...{ api, log, path: '/api/v1/pods', labelSelector: 'postern.dev/injected=true' },
      ...{ keep: guardedPod, onChange: both },
    }),
    services: startInformer({
      ...{ api, log, path: '/api/v1/services' },
      ...{ keep: seenService, onChange: changed.advice },
    }),
    // RBAC limited by name asks for exactly this selector.
    trust: startInformer<Actual, Actual>({
      ...{ api, log, path: '/api/v1/configmaps', fieldSelector: `metadata.name=${TRUST}` },
      ...{ keep: whole, onChange: changed.workloads },
    }),
    networkPolicies: startInformer<Actual, Actual>({
      ...{ api, log, path: '/apis/networking.k8s.io/v1/networkpolicies' },
      ...{ labelSelector: managed, keep: whole, onChange: changed.workloads },
    }),
  }
}

const nothing: Informer<never> = {
  list: () => [],
  get: () => undefined,
  synced: () => true,
  close: () => Promise.resolve(),
}

const managed = Object.entries(MANAGED)
  .map(([key, value]) => `${key}=${value}`)
  .join()

/** Without the record of who wrote what, which is the larger half. */
const whole = (object: Actual): Actual => {
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([key]) => key !== 'managedFields'),
  )
  return { ...object, metadata: metadata as unknown as Actual['metadata'] }
}
