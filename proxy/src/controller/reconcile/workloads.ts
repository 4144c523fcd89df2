import type { Log } from '../../core/log.ts'
import type { Actual, Desired, Keeper } from '../kube/keep.ts'
import { MANAGED } from '../kube/keep.ts'

export interface KeepAll {
  readonly wanted: readonly Desired[]
  /** All that there are of the kinds that are wanted. */
  readonly actual: readonly Actual[]
  /** Name of the ClusterRole that owns what is ours. */
  readonly owner: string
  readonly keeper: Keeper
  readonly log: Log
}

/**
 * Makes, corrects and removes until what is there is what is wanted. One object that cannot be written keeps no other from it.
 * Throws AggregateError of all that failed.
 */
export const keepAll = async (
  { wanted, actual, owner, keeper, log }: KeepAll,
  signal: AbortSignal,
): Promise<void> => {
  const present = new Map(actual.map((object) => [keyOf(pathOf(object), object.metadata.name), object]))
  const failures: Error[] = []
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error instanceof Error ? error : new Error(String(error)))
    }
  }
  for (const desired of wanted) {
    const key = keyOf(desired.path, desired.name)
    const found = present.get(key)
    present.delete(key)
    await attempt(async () => {
      if (found !== undefined) refuseForeign(found, owner)
      if (!(await keeper.put(desired, found, signal))) return
      const { kind, namespace, name } = desired
      log.info(found === undefined ? 'object_made' : 'object_corrected', { kind, namespace, name })
    })
  }
  for (const object of present.values()) {
    if (!isOurs(object, owner)) continue
    await attempt(async () => {
      await keeper.remove(pathOf(object), object, signal)
      log.info('object_removed', { namespace: object.metadata.namespace, name: object.metadata.name })
    })
  }
  const [first] = failures
  if (first !== undefined) {
    throw new AggregateError(
      failures,
      `${failures.length} objects cannot be written; the first: ${first.message}`,
    )
  }
}

const keyOf = (path: string, name: string): string => `${path}/${name}`

/** Two releases would write over each other for ever. What an owner that is gone has left, Kubernetes takes away by itself. */
const refuseForeign = ({ metadata }: Actual, owner: string): void => {
  const owners = (metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'ClusterRole')
  const [other] = owners
  if (other === undefined || owners.some(({ name }) => name === owner)) return
  throw new Error(
    `${metadata.namespace ?? ''}/${metadata.name} is kept by another release of Postern, whose ClusterRole is ${other.name}: one release guards a cluster; uninstall one of them`,
  )
}

/** Another release in the cluster has an owner of another name. */
const isOurs = ({ metadata }: Actual, owner: string): boolean =>
  Object.entries(MANAGED).every(([key, value]) => metadata.labels?.[key] === value) &&
  (metadata.ownerReferences ?? []).some(({ kind, name }) => kind === 'ClusterRole' && name === owner)

/** Only NetworkPolicies have a spec here. */
const pathOf = (object: Actual): string => {
  const namespace = object.metadata.namespace ?? ''
  return 'spec' in object
    ? `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`
    : `/api/v1/namespaces/${namespace}/configmaps`
}
