import type { JsonObject } from '../../core/json.ts'
import { kubeApi, KubeError, type KubeApi, type OwnerReference } from '../kube/api.ts'
import { kubeEvents } from '../kube/events.ts'
import { keeper as objectKeeper } from '../kube/keep.ts'
import type { Leader } from '../leader.ts'
import { buildPolicy } from '../policies/build.ts'
import { collect } from '../policies/collect.ts'
import { dataCheck } from '../policies/data-schema.ts'
import type { BundleSource } from './bundle-source.ts'
import { BUNDLE, bundleStore } from './bundle-store.ts'
import { bundleKeeper } from './keep-bundle.ts'
import { startLoop, type Loop } from './loop.ts'
import type { ReconcilerOptions } from './parts.ts'
import { policiesIn, reportStandings } from './policies.ts'
import { adviser } from './tell-advice.ts'
import { wantedObjects } from './wanted.ts'
import { startWatches, type Watches } from './watches.ts'
import { keepAll } from './workloads.ts'

export interface Reconcilers {
  /** Ends every watch and loop; what is being written is given up. */
  close(): Promise<void>
  readonly bundle: BundleSource
  /** Undefined when what this replica serves is there, else why not, for `/readyz`. */
  unready(): string | undefined
}

/**
 * Keeps what the controller owns in the cluster as it should be: policy bundle, trust, NetworkPolicies, statuses and events.
 * Every replica reads; only the leader writes. Rejects when the folder of the policies cannot be used; a cluster that does not
 * answer is waited for.
 */
export const startReconcilers = async (options: ReconcilerOptions): Promise<Reconcilers> => {
  const { config, log, trust } = options
  const api = leaderApi(kubeApi(options.kube), options.leader)
  const store = bundleStore()
  const loops = new Map<LoopName, Loop>()
  const trigger = (...names: readonly LoopName[]): void => {
    for (const name of names) loops.get(name)?.trigger()
  }
  const watches = startWatches(
    { api, log, namespace: config.namespace, policies: config.policies.enabled },
    {
      policies: () => {
        store.seen(watches.bundle.get(config.namespace, BUNDLE))
        trigger('policies')
      },
      workloads: () => trigger('workloads'),
      advice: () => trigger('advice'),
    },
  )
  const close = async (): Promise<void> => {
    stopListening()
    const watching = Object.values<Closable>({ ...watches })
    await Promise.all([...loops.values(), ...watching].map((part) => part.close()))
  }
  const stopListening = trust.onChange(() => trigger('policies', 'workloads'))
  try {
    if (config.policies.enabled) loops.set('policies', await policiesLoop(options, api, watches))
    loops.set('workloads', workloadsLoop(options, api, watches))
    loops.set('advice', adviceLoop(options, api, watches))
  } catch (error) {
    await close()
    throw error
  }
  return {
    close,
    bundle: store.source,
    unready: () =>
      !config.policies.enabled || store.source.current() !== undefined
        ? undefined
        : watches.bundle.synced()
          ? 'policy bundle: none yet; the status of the policy ConfigMaps says why'
          : 'policy bundle: not read yet',
  }
}

interface Closable {
  close(): Promise<void>
}

type LoopName = 'policies' | 'workloads' | 'advice'

/** Writes go out only while this replica leads. */
const leaderApi = (api: KubeApi, leader: Leader): KubeApi => ({
  call: (call) =>
    call.method === 'GET' || leader.leading()
      ? api.call(call)
      : Promise.reject(new Error('this replica leads no more')),
  watch: (path, signal) => api.watch(path, signal),
})

const policiesLoop = async (
  { config, leader, trust, builtIn, log, meter, ...options }: ReconcilerOptions,
  api: KubeApi,
  watches: Watches,
): Promise<Loop> => {
  const { opa, sources: folder } = config.policies
  const checkData = await dataCheck(folder)
  const base = { wasm: builtIn.wasm, data: builtIn.data as JsonObject }
  const newKeeper = (): ReturnType<typeof bundleKeeper> =>
    bundleKeeper({
      ...{ namespace: config.namespace, builtIn: base, log, meter },
      build: (sources, signal) =>
        buildPolicy(sources, { builtIn: base, checkData, opa, sources: folder, signal }),
      tryBundle: (bytes) => options.tryBundle(bytes),
      keeper: objectKeeper(api),
    })
  let keepBundle = newKeeper()
  const stopListening = leader.onChange(() => {
    keepBundle = newKeeper()
  })
  const reporter = { api, events: kubeEvents(api, log) }
  const loop = startLoop({
    ...{ name: 'policies', leader, log, meter },
    synced: () =>
      [watches.dataPolicies, watches.regoPolicies, watches.bundle].every((watch) => watch.synced()),
    work: async (signal) => {
      const seen = policiesIn(watches.dataPolicies.list(), watches.regoPolicies.list())
      const outcome = await keepBundle(
        {
          collected: collect(seen.map(({ policy }) => policy)),
          stored: watches.bundle.get(config.namespace, BUNDLE),
          key: trust.bundleSigner(),
          owner: await ownerOf(api, config.owner, signal),
        },
        signal,
      )
      await reportStandings(reporter, { seen, outcome }, signal)
      const failed = outcome.problems.find(({ code }) => code === 'tool_failed')
      if (failed !== undefined) throw new Error(failed.message)
    },
  })
  return {
    trigger: loop.trigger,
    close: () => {
      stopListening()
      return loop.close()
    },
  }
}

const workloadsLoop = (
  { config, leader, trust, log, meter }: ReconcilerOptions,
  api: KubeApi,
  watches: Watches,
): Loop => {
  const keeper = objectKeeper(api)
  const read = [watches.namespaces, watches.pods, watches.trust, watches.networkPolicies]
  return startLoop({
    ...{ name: 'workloads', leader, log, meter },
    synced: () => read.every((watch) => watch.synced()),
    work: async (signal) => {
      const wanted = wantedObjects({
        config,
        owner: await ownerOf(api, config.owner, signal),
        namespaces: watches.namespaces.list(),
        pods: watches.pods.list(),
        trust: { 'ca.crt': trust.authorities(), 'bundle.pub': trust.bundleKeys() },
      })
      const actual = [...watches.trust.list(), ...watches.networkPolicies.list()]
      await keepAll({ wanted, actual, owner: config.owner, keeper, log }, signal)
    },
  })
}

const adviceLoop = ({ leader, log, meter }: ReconcilerOptions, api: KubeApi, watches: Watches): Loop => {
  const advise = adviser({ api, events: kubeEvents(api, log), meter })
  return startLoop({
    ...{ name: 'advice', leader, log, meter },
    // Pods that no informer reports may be there without a guard.
    resyncMs: 60_000,
    synced: () => [watches.namespaces, watches.pods, watches.services].every((watch) => watch.synced()),
    work: (signal) =>
      advise(
        {
          namespaces: watches.namespaces.list(),
          pods: watches.pods.list(),
          services: watches.services.list(),
        },
        signal,
      ),
  })
}

/** Read each time: a release that was installed anew has another uid, and owns nothing of the old one. */
const ownerOf = async (api: KubeApi, name: string, signal: AbortSignal): Promise<OwnerReference> => {
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  try {
    const { metadata } = await api.call<{ readonly metadata: { readonly uid: string } }>({
      method: 'GET',
      path: `/apis/${apiVersion}/clusterroles/${name}`,
      signal,
    })
    return { apiVersion, kind: 'ClusterRole', name, uid: metadata.uid }
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 404)) throw error
    throw new Error(
      `there is no ClusterRole ${name}, which owns what the controller makes: the release is being uninstalled, or owner in the configuration is wrong`,
      { cause: error },
    )
  }
}
