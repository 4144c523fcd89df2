import { createHash } from 'node:crypto'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { OwnerReference } from '../kube/api.ts'
import type { Actual, Desired, Keeper } from '../kube/keep.ts'
import type { Built } from '../policies/build.ts'
import { openBundle, signBundle, type MadeOf, type Policy } from '../policies/bundle.ts'
import type { collect, Sources } from '../policies/collect.ts'
import type { Problem } from '../policies/problem.ts'
import type { SigningKey } from '../policies/signature.ts'
import { BUNDLE, BUNDLE_KEY, bundleIn, REVISION } from './bundle-store.ts'
import type { Outcome } from './status.ts'

export interface BundleKeeperOptions {
  /** Of the ConfigMap with the bundle. */
  readonly namespace: string
  /** What is compiled in; a bundle made with another one is made again. */
  readonly builtIn: Policy
  readonly build: (sources: Sources, signal: AbortSignal) => Promise<Built>
  readonly tryBundle: (bytes: Uint8Array) => Promise<void>
  readonly keeper: Keeper
  readonly log: Log
  readonly meter: Meter
}

export interface BundleNeeds {
  readonly collected: ReturnType<typeof collect>
  /** ConfigMap `postern-bundle` as it is. */
  readonly stored: Actual | undefined
  readonly key: SigningKey
  readonly owner: OwnerReference
}

/** Milliseconds for the guard's engine to try a bundle. */
const TRY_MS = 30_000

/** A policy that guards can work with, what it was made of, and a signed bundle of it. */
interface Good {
  readonly policy: Policy
  readonly madeOf: MadeOf
  readonly bytes: Uint8Array
  readonly revision: string
}

type Rebuilt = { readonly made: Good } | { readonly problems: readonly Problem[] }

/**
 * Keeps ConfigMap `postern-bundle`: the policy that all sources make together, signed with the key of today. While one source is broken
 * the last good policy stays, whole; a deleted or changed ConfigMap is put back from memory. The same broken sources are not built
 * twice. What it remembers is good for one term of leadership: make a new one for the next.
 */
export const bundleKeeper = (
  options: BundleKeeperOptions,
): ((needs: BundleNeeds, signal: AbortSignal) => Promise<Outcome>) => {
  const { keeper, log, meter, namespace } = options
  const base = digestOfBase(options.builtIn)
  let good: Good | undefined
  let refused: { readonly wanted: string; readonly problems: readonly Problem[] } | undefined

  const renew = async (needs: Wanting, signal: AbortSignal): Promise<readonly Problem[]> => {
    const wanted = digestOf(needs.madeOf)
    if (good !== undefined && digestOf(good.madeOf) === wanted) return []
    if (refused?.wanted === wanted) return refused.problems
    const rebuilt = await rebuild(options, { ...needs, before: good?.madeOf ?? {} }, signal)
    if ('made' in rebuilt) {
      good = rebuilt.made
      meter.add('postern_reloads_total', 1, 'policy', 'ok')
      log.info('policy_bundle_made', {
        revision: good.revision,
        sources: Object.keys(good.madeOf).length - 1,
      })
      return []
    }
    const { problems } = rebuilt
    meter.add('postern_reloads_total', 1, 'policy', 'failed')
    log.error('policy_bundle_refused', { problems: problems.length, code: problems[0]?.code })
    // A failure of a tool may pass by itself.
    refused = problems.some(({ code }) => code === 'tool_failed') ? undefined : { wanted, problems }
    return problems
  }

  return async (needs, signal) => {
    const madeOf: MadeOf = { ...needs.collected.sources.digests, '': base }
    good ??= storedIn(needs)
    const problems = await renew({ ...needs, madeOf }, signal)
    meter.set('postern_controller_policies_rejected', culprits(problems))
    if (good === undefined) return { revision: undefined, problems, applied: () => false }
    const force = signedToday(good, needs.key)
    good = force
    await keeper.put(desired(namespace, needs.owner, force), needs.stored, signal)
    return {
      revision: force.revision,
      problems,
      applied: (name) => force.madeOf[name] === madeOf[name],
    }
  }
}

const digestOfBase = ({ data, wasm }: Policy): string =>
  createHash('sha256').update(JSON.stringify(data)).update(wasm).digest('hex').slice(0, 16)

const storedIn = ({ stored, key }: BundleNeeds): Good | undefined => {
  const bytes = bundleIn(stored)?.bytes
  const opened = bytes === undefined ? undefined : openBundle(bytes, key)
  return bytes === undefined || opened === undefined ? undefined : { ...opened, bytes }
}

const signedToday = (good: Good, key: SigningKey): Good =>
  openBundle(good.bytes, key) === undefined
    ? { ...good, bytes: signBundle(good.policy, good.madeOf, key).bytes }
    : good

interface Wanting extends BundleNeeds {
  readonly madeOf: MadeOf
}

const rebuild = async (
  { build, tryBundle }: BundleKeeperOptions,
  { collected, madeOf, before, key }: Wanting & { readonly before: MadeOf },
  signal: AbortSignal,
): Promise<Rebuilt> => {
  const { sources, problems } = collected
  if (problems.length > 0) return { problems }
  const built = await build(sources, signal)
  if ('problems' in built) return built
  try {
    const signed = signBundle(built.policy, madeOf, key)
    await within(TRY_MS, tryBundle(signed.bytes))
    return { made: { policy: built.policy, madeOf, ...signed } }
  } catch (error) {
    return { problems: notTaken(sources, before, error) }
  }
}

const digestOf = (madeOf: MadeOf): string =>
  JSON.stringify(Object.entries(madeOf).sort(([a], [b]) => (a < b ? -1 : 1)))

const culprits = (problems: readonly Problem[]): number =>
  new Set(problems.map(({ configMap }) => configMap ?? '')).size

/** What changed since the last good policy is to blame, or all when that is not known. */
const notTaken = ({ digests }: Sources, before: MadeOf, error: unknown): readonly Problem[] => {
  const names = Object.keys(digests)
  const changed = names.filter((name) => before[name] !== digests[name])
  const why = error instanceof Error ? error.message : 'it does not answer'
  return (changed.length > 0 ? changed : names.length > 0 ? names : [undefined]).map((configMap) => ({
    code: 'bundle_invalid' as const,
    ...(configMap === undefined ? {} : { configMap }),
    message: `guards could not work with the policies together: ${why}`,
  }))
}

const within = async (ms: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`they do not answer within ${ms / 1000} s`))
    }, ms)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const desired = (
  namespace: string,
  owner: OwnerReference,
  { bytes, revision }: { readonly bytes: Uint8Array; readonly revision: string },
): Desired => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  path: `/api/v1/namespaces/${namespace}/configmaps`,
  namespace,
  name: BUNDLE,
  owner,
  annotations: { [REVISION]: revision },
  content: { binaryData: { [BUNDLE_KEY]: Buffer.from(bytes).toString('base64') } },
})
