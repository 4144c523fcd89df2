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
}

export interface AdviceNeeds {
  readonly namespaces: readonly SeenNamespace[]
  readonly pods: readonly GuardedPod[]
  readonly services: readonly SeenService[]
}

/** Between two looks at all pods of the guarded namespaces; new pods cannot come without a guard. */
const LOOK_MS = 600_000
/** Events about one namespace in one look. */
const MAX_NOTICES = 50

/** Tells people, by Events, what the controller itself cannot put right. */
export const adviser = ({
  api,
  events,
  meter,
}: AdviceOptions): ((needs: AdviceNeeds, signal: AbortSignal) => Promise<void>) => {
  let looked: { readonly at: number; readonly guarded: string } | undefined

  const lookAtPods = async (guarded: readonly SeenNamespace[], signal: AbortSignal): Promise<void> => {
    let count = 0
    for (const namespace of guarded) {
      let told = 0
      const path = `/api/v1/namespaces/${namespace.name}/pods`
      for await (const { items } of listPages({ api, path }, signal)) {
        const found = unguarded(namespace, items)
        count += found.length
        for (const pod of found.slice(0, Math.max(0, MAX_NOTICES - told))) {
          await events.tell(guardMissing(pod), signal)
          told++
        }
      }
    }
    meter.set('postern_controller_pods_unguarded', count)
  }

  return async ({ namespaces, pods, services }, signal) => {
    for (const notice of closedTargets(services, pods)) await events.tell(notice, signal)
    const guarded = namespaces.filter(
      (namespace) => namespace.guarded && !namespace.leftAlone && !namespace.ending,
    )
    const names = JSON.stringify(guarded)
    if (looked?.guarded === names && performance.now() - looked.at < LOOK_MS) return
    await lookAtPods(guarded, signal)
    looked = { at: performance.now(), guarded: names }
  }
}
