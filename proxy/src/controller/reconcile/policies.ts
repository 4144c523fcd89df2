import { KubeError, type KubeApi, type KubeObject } from '../kube/api.ts'
import type { Events } from '../kube/events.ts'
import { FIELD_MANAGER } from '../kube/keep.ts'
import type { PolicyConfigMap } from '../policies/collect.ts'
import { aboutConfigMap, standingOf, STATUS, type Outcome } from './status.ts'

/** What is kept in memory of a policy ConfigMap. */
export interface SeenPolicy {
  readonly object: KubeObject
  readonly policy: PolicyConfigMap
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
}

export const seenPolicy = ({ metadata, data = {}, binaryData = {} }: ConfigMap): SeenPolicy => {
  const {
    name,
    namespace = '',
    uid = '',
    resourceVersion = '',
    annotations = {},
    deletionTimestamp,
  } = metadata
  return {
    object: {
      metadata: {
        ...{ name, namespace, uid, resourceVersion, annotations },
        ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      },
    },
    policy: { name, data, binaryKeys: Object.keys(binaryData) },
  }
}

/** Each ConfigMap once, whatever labels it has; one that is being deleted counts no more. */
export const policiesIn = (...lists: readonly (readonly SeenPolicy[])[]): readonly SeenPolicy[] => [
  ...new Map(
    lists
      .flat()
      .filter(({ object }) => object.metadata.deletionTimestamp === undefined)
      .map((seen) => [seen.policy.name, seen]),
  ).values(),
]

export interface Reporter {
  readonly api: KubeApi
  readonly events: Events
}

/** Writes to each policy ConfigMap what became of it, where that is not written yet, and tells it as an Event. */
export const reportStandings = async (
  { api, events }: Reporter,
  { seen, outcome }: { readonly seen: readonly SeenPolicy[]; readonly outcome: Outcome },
  signal: AbortSignal,
): Promise<void> => {
  for (const { object, policy } of seen) {
    const { status, notice } = standingOf(policy.name, outcome)
    if (object.metadata.annotations?.[STATUS] !== status) await annotate(api, object, { status, signal })
    if (notice !== undefined) await events.tell({ ...notice, about: aboutConfigMap(object) }, signal)
  }
}

/** At the version that was seen: a ConfigMap that changed meanwhile comes again. */
const annotate = async (
  api: KubeApi,
  { metadata: { namespace = '', name, resourceVersion } }: KubeObject,
  { status, signal }: { readonly status: string; readonly signal: AbortSignal },
): Promise<void> => {
  try {
    await api.call({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/configmaps/${name}?fieldManager=${FIELD_MANAGER}`,
      body: { metadata: { resourceVersion, annotations: { [STATUS]: status } } },
      type: 'application/merge-patch+json',
      signal,
    })
  } catch (error) {
    if (!(error instanceof KubeError) || (error.status !== 404 && error.status !== 409)) throw error
  }
}
