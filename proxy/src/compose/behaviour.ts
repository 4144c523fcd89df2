import { hash, timingSafeEqual } from 'node:crypto'
import type { Behaviour, BehaviourReport } from '../core/behaviour.ts'
import { noBehaviour } from '../core/behaviour.ts'
import type { Json } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Scanner } from '../core/scanner.ts'
import { readBaseline, type Baseline } from '../behaviour/baseline.ts'
import { behaviour, type BehaviourOptions, type WatchedBehaviour } from '../behaviour/behaviour.ts'
import { isName } from '../behaviour/names.ts'
import type { Config } from '../config/schema.ts'

/** Who watches models and callers, as long as the process lives: a reload keeps what was learned. */
export interface Watcher {
  /** What exchanges under this configuration are shown to. */
  under(config: Config): Behaviour
  /** Uses another configuration from now on. A baseline that cannot be read is logged, and the one before stays. */
  apply(config: Config): Promise<void>
  /** Answers `GET /baseline` of the admin port. */
  snapshot(authorization: string | undefined): { readonly status: number; readonly body: Json }
  report(): BehaviourReport
  close(): void
}

interface Instruments {
  readonly meter: Meter
  readonly log: Log
}

const TICK_MS = 10_000

/** Never throws: a guard serves whatever becomes of its statistics. */
export const composeBehaviour = async (config: Config, instruments: Instruments): Promise<Watcher> => {
  const { log } = instruments
  const state: State = {
    config,
    baseline: await baselineOf(config, { log, before: undefined }),
    watched: undefined,
  }
  const start = (): WatchedBehaviour =>
    (state.watched ??= behaviour(optionsOf(state), { ...instruments, now: () => new Date() }))
  if (config.behaviour.enabled) start()
  const timer = setInterval(() => state.watched?.tick(performance.now()), TICK_MS)
  timer.unref()
  return {
    under: (next) => (next.behaviour.enabled ? start() : noBehaviour),
    apply: async (next) => {
      state.baseline = await baselineOf(next, { log, before: state.baseline })
      state.config = next
      try {
        state.watched?.update(optionsOf(state))
      } catch (cause) {
        log.error('behaviour_failed', { cause: cause as Error })
      }
    },
    snapshot: (authorization) => snapshotFor(state, authorization),
    report: () => (state.watched ?? noBehaviour).report(),
    close: () => {
      clearInterval(timer)
      state.watched?.close()
    },
  }
}

interface State {
  config: Config
  baseline: Baseline | undefined
  watched: WatchedBehaviour | undefined
}

const optionsOf = ({ config, baseline }: State): BehaviourOptions => {
  const { behaviour: given, models } = config
  return {
    models: models.map(({ name }) => name),
    tenants: given.tenants,
    roles: given.roles,
    tools: given.tools,
    entropyThresholdBits: given.entropyBits,
    baseline,
    window: { exchanges: given.window.exchanges, ms: given.window.ageMs },
    groups: given.groups.map(({ name, by, members }) => ({ name, by, groups: members })),
    groupWindowMs: given.groupWindowMs,
    maxKeys: given.callers.most,
    intervalMs: given.callers.intervalMs,
    leastRate: given.callers.leastRate,
  }
}

const baselineOf = async (
  { behaviour: { enabled, baselineFile } }: Config,
  { log, before }: { readonly log: Log; readonly before: Baseline | undefined },
): Promise<Baseline | undefined> => {
  if (!enabled || baselineFile === undefined) return undefined
  try {
    return await readBaseline(baselineFile)
  } catch (cause) {
    log.error('baseline_unreadable', {
      file: baselineFile,
      kept: before !== undefined,
      cause: cause as Error,
    })
    return before
  }
}

/** Names of callers' tools and roles are in it, so the port alone is not proof enough. */
const snapshotFor = (
  { config, watched }: State,
  authorization: string | undefined,
): ReturnType<Watcher['snapshot']> => {
  const { enabled, snapshotToken } = config.behaviour
  if (!enabled || watched === undefined)
    return { status: 404, body: { error: 'nothing is watched: set behaviour.enabled' } }
  if (snapshotToken === undefined)
    return { status: 403, body: { error: 'set behaviour.snapshotToken, and show it as a bearer token' } }
  if (!isSame(authorization ?? '', `Bearer ${snapshotToken.reveal()}`))
    return { status: 401, body: { error: 'show the token of behaviour.snapshotToken as a bearer token' } }
  return { status: 200, body: watched.snapshot() }
}

const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))

const REMEMBERED = 4096

/** Names of tools and arguments that may be kept: plain ones in which no rule finds anything. Models make names up. */
export const plainNames = (scanner: Pick<Scanner, 'scan'>): ((name: string) => boolean) => {
  const known = new Map<string, boolean>()
  return (name) => {
    if (!isName(name)) return false
    const before = known.get(name)
    if (before !== undefined) return before
    const plain = scanner.scan(name).length === 0
    if (known.size >= REMEMBERED) known.clear()
    known.set(name, plain)
    return plain
  }
}
