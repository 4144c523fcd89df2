import type { Meter } from '../../core/metrics.ts'
import type { KubeApi } from '../kube/api.ts'
import type { Events } from '../kube/events.ts'
import { listPages } from '../kube/informer.ts'
import { closedTargets, guardMissing, unguarded } from './advice.ts'
import type { GuardedPod, SeenNamespace, SeenService } from './objects.ts'

export interface AdviceOptions {
  readonly api: KubeApi
  readonly events: Events
  readonly meter: Meter
  readonly now?: () => number
}

export interface AdviceNeeds {
  readonly namespaces: readonly SeenNamespace[]
  readonly pods: readonly GuardedPod[]
  readonly services: readonly SeenService[]
}

/** Between two looks at the pods of guarded namespaces that are not marked as guarded, which are few. */
const LOOK_MS = 60_000
/** Between two looks at all of them: a mark alone makes no guard. */
const LOOK_AT_ALL_MS = 600_000
const UNMARKED = 'postern.dev/injected!=true'
/** Events about one namespace in one look. */
const MAX_NOTICES = 50

/** Tells people, by Events, what the controller itself cannot put right. */
export const adviser = ({
  api,
  events,
  meter,
  now: clock = () => performance.now(),
}: AdviceOptions): ((needs: AdviceNeeds, signal: AbortSignal) => Promise<void>) => {
  let looked: { readonly at: number; readonly atAll: number; readonly guarded: string } | undefined
  /** Marked pods without a guard, when all were looked at. */
  let pretending = 0

  const lookAt = async (
    guarded: readonly SeenNamespace[],
    selectors: { readonly labelSelector?: string },
    signal: AbortSignal,
  ): Promise<{ readonly found: number; readonly marked: number }> => {
    let count = 0
    let marked = 0
    for (const namespace of guarded) {
      let told = 0
      const path = `/api/v1/namespaces/${namespace.name}/pods`
      for await (const { items } of listPages({ api, path, ...selectors }, signal)) {
        const found = unguarded(namespace, items)
        count += found.length
        marked += found.filter(({ metadata }) => metadata.labels?.['postern.dev/injected'] === 'true').length
        for (const pod of found.slice(0, Math.max(0, MAX_NOTICES - told))) {
          await events.tell(guardMissing(pod), signal)
          told++
        }
      }
    }
    return { found: count, marked }
  }

  return async ({ namespaces, pods, services }, signal) => {
    for (const notice of closedTargets(services, pods)) await events.tell(notice, signal)
    const guarded = namespaces.filter(
      (namespace) => namespace.guarded && !namespace.leftAlone && !namespace.ending,
    )
    const names = JSON.stringify(guarded)
    const now = clock()
    const before = looked?.guarded === names ? looked : undefined
    if (before !== undefined && now - before.at < LOOK_MS) return
    if (before !== undefined && now - before.atAll < LOOK_AT_ALL_MS) {
      const { found } = await lookAt(guarded, { labelSelector: UNMARKED }, signal)
      meter.set('postern_controller_pods_unguarded', found + pretending)
      looked = { ...before, at: now }
      return
    }
    const { found, marked } = await lookAt(guarded, {}, signal)
    pretending = marked
    meter.set('postern_controller_pods_unguarded', found)
    looked = { at: now, atAll: now, guarded: names }
  }
}
