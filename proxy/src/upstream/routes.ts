import type { ModelVersion } from '../core/upstream.ts'
import type { ModelPoolOptions, TargetOptions } from './options.ts'

export interface Target<Upstream> {
  readonly upstream: Upstream
  /** Undefined: the name asked for. */
  readonly model: string | undefined
  readonly version: ModelVersion | undefined
}

export interface Routes<Upstream> {
  /** Exact names, sorted. */
  readonly names: readonly string[]
  /** The configured name that a model falls under: a bounded label. */
  listed(model: string): string | undefined
  /** The targets to try, in order; undefined for a model that is not configured. `usable` says which are worth trying first. */
  order(model: string, usable: (upstream: Upstream) => boolean): readonly Target<Upstream>[] | undefined
}

/** Throws an Error that names what is wrong with the configuration. */
export const routes = <Upstream>(
  models: ModelPoolOptions['models'],
  upstreams: ReadonlyMap<string, Upstream>,
): Routes<Upstream> => {
  const exact = new Map<string, Route<Upstream>>()
  const patterns: { prefix: string; suffix: string; route: Route<Upstream> }[] = []
  for (const { name, targets, fallback = [] } of models) {
    const route = compile({ name, targets, fallback }, upstreams)
    const [prefix = '', suffix, ...more] = name.split('*')
    if (more.length > 0) throw new Error(`model ${name}: use one * at most`)
    if (suffix !== undefined) patterns.push({ prefix, suffix, route })
    else if (exact.has(name)) throw new Error(`model ${name}: name it once`)
    else exact.set(name, route)
  }
  const find = (model: string): Route<Upstream> | undefined =>
    exact.get(model) ??
    patterns.find(
      ({ prefix, suffix }) =>
        model.length >= prefix.length + suffix.length && model.startsWith(prefix) && model.endsWith(suffix),
    )?.route
  const bounded = (model: string): Route<Upstream> | undefined =>
    model.length > MAX_NAME ? undefined : find(model)
  return {
    names: [...exact.keys()].sort(),
    listed: (model) => bounded(model)?.name,
    order: (model, usable) => {
      const route = bounded(model)
      return route === undefined ? undefined : order(route, usable)
    },
  }
}

const MAX_NAME = 256

interface Route<Upstream> {
  readonly name: string
  readonly targets: Weighted<Upstream>[]
  readonly fallback: readonly Target<Upstream>[]
}

interface Weighted<Upstream> extends Target<Upstream> {
  readonly weight: number
  turn: number
}

interface ModelRoute {
  readonly name: string
  readonly targets: readonly TargetOptions[]
  readonly fallback: readonly TargetOptions[]
}

const compile = <Upstream>(
  { name, targets, fallback }: ModelRoute,
  upstreams: ReadonlyMap<string, Upstream>,
): Route<Upstream> => {
  const target = ({ upstream: upstreamName, model, version }: TargetOptions): Target<Upstream> => {
    const upstream = upstreams.get(upstreamName)
    if (upstream === undefined)
      throw new Error(`model ${name}: there is no upstream ${upstreamName}; add it or correct the name`)
    return { upstream, model, version }
  }
  const weighted: Weighted<Upstream>[] = []
  for (const each of targets) {
    const weight = each.weight ?? 1
    if (!(weight >= 0) || weight === Infinity) throw new Error(`model ${name}: a weight is 0 or more`)
    if (weight > 0) weighted.push({ ...target(each), weight, turn: 0 })
  }
  if (weighted.length + fallback.length === 0)
    throw new Error(`model ${name}: give it a target with a weight above 0, or a fallback`)
  return { name, targets: weighted, fallback: fallback.map(target) }
}

const order = <Upstream>(
  { targets, fallback }: Pick<Route<Upstream>, 'targets' | 'fallback'>,
  usable: (upstream: Upstream) => boolean,
): readonly Target<Upstream>[] => {
  const [only] = targets
  if (targets.length === 1 && only !== undefined) return fallback.length === 0 ? targets : [only, ...fallback]
  const chosen = choose(targets.filter(({ upstream }) => usable(upstream))) ?? choose(targets)
  if (chosen === undefined) return fallback
  return [chosen, ...targets.filter((each) => each !== chosen), ...fallback]
}

/** Smooth weighted round robin, as nginx does it: no bursts to the heavy one, exact shares over a round. */
const choose = <Upstream>(targets: readonly Weighted<Upstream>[]): Weighted<Upstream> | undefined => {
  let best: Weighted<Upstream> | undefined
  let sum = 0
  for (const target of targets) {
    target.turn += target.weight
    sum += target.weight
    if (best === undefined || target.turn > best.turn) best = target
  }
  if (best !== undefined) best.turn -= sum
  return best
}
