import { generateKeyPairSync } from 'node:crypto'
import type { Log } from './core/log.ts'
import type { PodOverlay } from './core/pod.ts'
import { Refusal } from './core/refusal.ts'
import type { Config } from './config/schema.ts'
import { filesOf } from './config/files.ts'
import { maskedConfig } from './config/read-config.ts'
import { watchConfig } from './config/watch.ts'
import { composeBehaviour } from './compose/behaviour.ts'
import { coverage } from './compose/coverage.ts'
import { composeGeneration, type Base, type Generation, type PartHealth } from './compose/generation.ts'
import { adminPage, type AdminPage } from './compose/page.ts'
import { edgeRecorder } from './compose/edge.ts'
import { composeAudit, composeCapture, composeTracer } from './compose/parts.ts'
import { composeRespond } from './compose/respond.ts'
import { composeRoutes, errorShapeOf, uninspectedUpstreams } from './compose/routes.ts'
import { changesThatNeedRestart } from './compose/restart.ts'
import { composeWorkload } from './compose/workload.ts'
import { adminServer, type AdminServer } from './server/admin.ts'
import { server, type Server } from './server/server.ts'
import { readTls, watchTls } from './server/tls-files.ts'
import { promMeter, type PromMeter } from './telemetry/metrics.ts'
import type { Json } from './core/json.ts'
import type { WorkloadIdentity } from './workload/keeper.ts'

export interface GuardOptions {
  readonly log: Log
  /** The configuration file and how to read it again; absent: no reload. */
  readonly source?: { readonly file: string | undefined; readonly load: () => Config }
  /** The pod that is guarded, when the injector said so. */
  readonly pod?: Pick<PodOverlay, 'probes'>
}

export interface RunningGuard {
  /** Port of the data listener and of the admin listener. */
  readonly port: number
  readonly adminPort: number
  readonly server: Server
  /** Closes everything but the data listener: after its drain. */
  close(): Promise<void>
  /** Uses another configuration from now on; running exchanges end under the old one. Throws and changes nothing when it cannot. */
  apply(config: Config): Promise<void>
}

/** Label combinations of one metric beyond which values count as `other`. */
const MAX_SERIES = 1000

/** Config -> a running guard: the only place that knows every implementation. Throws an Error that says what to change. */
export const startGuard = async (config: Config, options: GuardOptions): Promise<RunningGuard> => {
  const opened: Opened = []
  try {
    return await start(config, options, opened)
  } catch (error) {
    // A guard that did not start must not go on listening, nor leave its log as if it had been killed.
    for (const close of opened.toReversed()) await close().catch(() => undefined)
    throw error
  }
}

type Opened = (() => Promise<void>)[]

const closing = <Part extends { close(): Promise<void> } | undefined>(part: Part, opened: Opened): Part => {
  opened.push(async () => part?.close())
  return part
}

const start = async (config: Config, options: GuardOptions, opened: Opened): Promise<RunningGuard> => {
  const { log } = options
  const meter = meterOf(config)
  const audit = closing(await composeAudit(config, { meter, log }), opened)
  const page = adminPage(config, {
    ready: () => whyNotReady(state),
    policyRevision: () => state.current?.policyRevision(),
    health: () => healthOf(state),
    coverage: () => coverageOf(state),
    ...{ behaviour: () => state.base.watcher.report(), feedback: audit, meter, log },
  })
  const capture = closing(await composeCapture(config, { meter, log }), opened)
  const tracer = closing(await composeTracer(config, { meter, log }), opened)
  const watcher = await composeBehaviour(config, { meter, log })
  opened.push(() => {
    watcher.close()
    return Promise.resolve()
  })
  const responder = closing(await composeRespond(config, { audit, meter, log }), opened)
  const base: Base = {
    ...{ meter, log, capture, tracer, watcher, responder },
    audit: responder?.watching(page.watching(audit)) ?? page.watching(audit),
    localKey: newLocalKey(),
    keptKeys: new Map(),
  }
  const state: State = { config, base, meter, workload: undefined, current: undefined, server: undefined }
  // First, so that whoever probes is told what is waited for.
  const admin = await openAdmin(state, page, options)
  opened.push(() => admin.close())
  if (config.workload) state.workload = await composeWorkload(config.workload, { meter, log })
  opened.push(async () => state.workload?.close())
  await state.workload?.ready()
  state.current = await composeGeneration(config, base)
  opened.push(async () => state.current?.retire())
  const data = await listen(state)
  opened.push(() => data.close(0))
  state.server = data
  const tlsWatch =
    config.server.tls && watchTls({ files: config.server.tls, apply: (one) => data.setTls(one), meter, log })
  opened.push(() => Promise.resolve(tlsWatch?.close()))
  const watch = follow(state, options)
  return {
    port: data.address.port,
    adminPort: admin.address.port,
    server: data,
    apply: (next) => apply(state, next),
    close: async () => {
      watch?.close()
      tlsWatch?.close()
      page.close()
      await admin.close()
      await state.current?.retire()
      await state.workload?.close()
      watcher.close()
      await responder?.close()
      await capture?.close()
      await audit.close()
      await tracer.close()
    },
  }
}

interface State {
  config: Config
  readonly base: Base
  readonly meter: PromMeter
  /** Undefined while the guard starts, or when it gets its certificates otherwise. */
  workload: WorkloadIdentity | undefined
  /** Undefined while the guard starts. */
  current: Generation | undefined
  server: Server | undefined
}

const meterOf = ({ telemetry }: Config): PromMeter =>
  promMeter({ maxSeries: MAX_SERIES, processMetrics: true, genAi: telemetry.genAiMetrics })

const openAdmin = (state: State, page: AdminPage, { log, pod }: GuardOptions): Promise<AdminServer> =>
  adminServer({
    host: state.config.admin.host,
    port: state.config.admin.port,
    ready: () => whyNotReady(state),
    metrics: (accept) => exposed(state, accept),
    coverage: () => coverageOf(state),
    config: () => maskedConfig(state.config) as Json,
    drain: () => void state.server?.drain(),
    baseline: (authorization) => state.base.watcher.snapshot(authorization),
    probes: pod?.probes ?? [],
    // The other containers of a pod must not end its guard and take its port; a kubelet asks from the node.
    drainFromHere: pod === undefined,
    ui: (request, response) => page.handle(request, response),
    respond: respondOf(state),
    log,
  })

const respondOf = ({ base: { responder } }: State) =>
  responder && ((...asked: Parameters<typeof responder.handle>) => responder.handle(...asked))

const listen = async (state: State): Promise<Server> => {
  const { config, base } = state
  const { tls, listen: at, limits, drain } = config.server
  const data = await server(
    {
      host: at.host,
      port: at.port,
      limits,
      routes: composeRoutes(config),
      tls: tls && { material: await readTls(tls), clientAuth: tls.clientAuth },
      drain: { graceMs: drain.graceMs, deadlineMs: drain.deadlineMs },
      errorShape: errorShapeOf,
      refused: edgeRecorder(base),
      turnsAway: () => base.responder?.gate.closed() !== undefined,
      uninspected: {
        authorize: (received) => serving(state).authorize(received),
        upstreams: uninspectedUpstreams(config),
      },
    },
    (received) => {
      const why = base.audit.unready()
      if (why !== undefined) throw new Refusal('guard_unavailable', { cause: new Error(why) })
      return serving(state).handle(received)
    },
    base,
  )
  // Clients that keep a connection would go on asking here although their Service has other guards.
  base.responder?.gate.onQuarantine(() => data.retire())
  return data
}

const serving = ({ current }: State): Generation => {
  if (current === undefined) throw new Refusal('guard_unavailable', { cause: new Error('starting') })
  return current
}

const healthOf = ({ config, base, workload, current }: State): readonly PartHealth[] => [
  ...(base.responder ? [{ area: 'Responses', name: 'orders', wrong: base.responder.gate.closed() }] : []),
  { area: 'Audit', name: config.audit.file ?? 'standard output', wrong: base.audit.unready() },
  ...(base.capture ? [{ area: 'Audit', name: 'captured content', wrong: base.capture.unready() }] : []),
  ...(workload ? [{ area: 'Certificates', name: 'workload', wrong: workload.unready() }] : []),
  ...(current?.health() ?? []),
]

/** What keeps traffic away; empty when it may come. */
const whyNotReady = (state: State): readonly string[] =>
  [
    state.server === undefined ? 'starting' : undefined,
    state.server?.draining ? 'draining' : undefined,
    ...healthOf(state).map(({ wrong }) => wrong),
  ].filter((why) => why !== undefined)

const coverageOf = ({ config }: State): Json => coverage(composeRoutes(config), config)

const exposed = (state: State, accept: string | undefined): ReturnType<PromMeter['exposeTo']> => {
  state.meter.set('postern_ready', whyNotReady(state).length === 0 ? 1 : 0)
  return state.meter.exposeTo(accept)
}

const apply = async (state: State, next: Config): Promise<void> => {
  const restart = changesThatNeedRestart(state.config, next)
  if (restart.length > 0) {
    state.base.log.warn('config_needs_restart', { changed: restart.join(', ') })
  }
  const old = state.current
  state.current = await composeGeneration(next, state.base)
  state.config = next
  await state.base.watcher.apply(next)
  void old?.retire()
}

/** Follows the configuration file and every file that it names. */
const follow = (state: State, { source, log }: GuardOptions): { readonly close: () => void } | undefined => {
  if (!source) return undefined
  const { meter } = state.base
  const watch = () =>
    watchConfig({
      file: source.file,
      load: source.load,
      apply: async (config) => {
        await apply(state, config)
        current.close()
        current = watch()
      },
      alsoWatch: filesOf(state.config)
        .filter(({ path }) => !followedElsewhere(path))
        .map(({ file }) => file),
      meter,
      log,
    })
  let current = watch()
  return { close: () => current.close() }
}

/** The policy engine watches its bundle and data itself; the audit log is ours, and read by nobody. */
const followedElsewhere = ([section, key]: readonly (string | number)[]): boolean =>
  section === 'audit' ||
  (section === 'policy' && ['bundle', 'dataFile', 'remote', 'shadow', 'tokenFile'].includes(String(key)))

const newLocalKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
