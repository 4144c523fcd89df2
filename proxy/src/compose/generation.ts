import type { AuditLog } from '../core/audit.ts'
import type { Capture } from '../core/capture.ts'
import type { Received } from '../core/exchange.ts'
import { Refusal } from '../core/refusal.ts'
import type { Tracer } from '../core/tracing.ts'
import type { Config } from '../config/schema.ts'
import type { Responder } from './respond.ts'
import { writeModel, writeModelList } from '../dialects/model-list.ts'
import { listModels } from '../endpoints/list-models.ts'
import { clientLogin, passwordLogin, publishKeys, type TokenSource } from '../endpoints/login.ts'
import { guard } from '../guard.ts'
import type { Watcher } from './behaviour.ts'
import type { Gate } from '../respond/gate.ts'
import { gated, gatedSteps } from './gated.ts'
import { composeIdentity, type Identity, type IdentityBase } from './identity.ts'
import { composeLimiter, composePolicy } from './parts.ts'
import { defaultScanner } from './scanner.ts'
import { composeSteps, jsonLimits, type StepParts } from './steps.ts'
import { composeModels } from './upstreams.ts'

/** What lives as long as the process, whatever the configuration becomes. */
export interface Base extends IdentityBase {
  readonly audit: AuditLog
  readonly capture: Capture | undefined
  readonly tracer: Tracer
  readonly watcher: Watcher
  readonly responder?: Responder | undefined
}

/** One thing that the guard depends on, and what is wrong with it; undefined when it is well. */
export interface PartHealth {
  readonly area: string
  readonly name: string
  readonly wrong: string | undefined
}

/** Everything that one configuration makes; a reload makes another one and lets this one finish what it began. */
export interface Generation {
  handle(received: Received): Promise<void>
  /** Identifies the caller of an uninspected route and asks policy. Throws Refusal. */
  authorize(received: Received): Promise<void>
  /** Undefined until a policy answers. */
  policyRevision(): string | undefined
  /** What it depends on; it can serve when nothing is wrong. */
  health(): readonly PartHealth[]
  /** Takes nothing new, lets what runs end, then closes. */
  retire(): Promise<void>
}

/** Throws an Error that says what to change. */
export const composeGeneration = async (config: Config, base: Base): Promise<Generation> => {
  const { meter, log } = base
  const closers: (() => Promise<void>)[] = []
  const opened = <T extends { close(): Promise<void> }>(part: T): T => {
    closers.unshift(() => part.close())
    return part
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled(closers.map((one) => one()))
  }
  try {
    const scanner = defaultScanner(config.inspection.disableRules)
    const identity = opened(composeIdentity(config.identity, base))
    const models = opened(composeModels(config, { meter, log }))
    const limiter = opened(await composeLimiter(config, { meter, log }))
    const engine = opened(await composePolicy(config, { meter, log }))
    const policy = base.responder?.policy(engine) ?? engine
    const behaviour = base.watcher.under(config)
    const parts: StepParts = { ...base, behaviour, config, scanner, identity, models, limiter, policy }
    return {
      ...untilIdle(routing(parts, identity, base.responder?.gate), close),
      policyRevision: () => (policy.unready() === undefined ? policy.revision() : undefined),
      health: () => [
        { area: 'Policy', name: policy.name, wrong: policy.unready() },
        { area: 'Limits', name: config.limits.store, wrong: limiter.unready() },
        {
          area: 'Model servers',
          name: config.upstreams.map(({ name }) => name).join(', '),
          wrong: models.unready(),
        },
      ],
    }
  } catch (error) {
    await close()
    throw error
  }
}

type Serving = Pick<Generation, 'handle' | 'authorize'>

/** Counts what runs, so that the parts are closed with the last exchange that uses them. */
const untilIdle = (serving: Serving, close: () => Promise<void>): Serving & Pick<Generation, 'retire'> => {
  let running = 0
  let idle: (() => void) | undefined
  const counted = (work: (received: Received) => Promise<void>) => async (received: Received) => {
    running += 1
    try {
      await work(received)
    } finally {
      running -= 1
      if (running === 0) idle?.()
    }
  }
  return {
    handle: counted((received) => serving.handle(received)),
    authorize: counted((received) => serving.authorize(received)),
    retire: async () => {
      if (running > 0) await new Promise<void>((resolve) => (idle = resolve))
      await close()
    },
  }
}

const familyOf = ({ headers }: Received) =>
  headers['anthropic-version'] === undefined ? 'openai' : 'anthropic'

const routing = (parts: StepParts, identity: Identity, gate: Gate | undefined): Serving => {
  const { config, policy, models } = parts
  const steps = gatedSteps(composeSteps(parts), gate)
  const dialogue = guard(steps)
  const list = listModels({
    steps,
    policy,
    names: models.names.filter((name) => !name.includes('*')),
    write: {
      list: (names, received) => writeModelList(familyOf(received), names),
      one: (name, received) => writeModel(familyOf(received), name),
    },
  })
  const local = identity.local ? localEndpoints(steps, identity.local, config) : undefined
  return {
    handle: gated(async (received) => {
      const { kind } = received.route
      if (kind === 'dialect') return dialogue(received)
      if (kind === 'models') return list(received)
      if (local && (kind === 'auth' || kind === 'token' || kind === 'jwks')) return local[kind](received)
      throw new Refusal('route_unknown')
    }, gate),
    async authorize(received) {
      const notes = steps.open(received)
      try {
        const caller = await steps.identify(received, notes)
        const request = {
          route: received.route.name,
          model: '',
          stream: false,
          tools: [],
          params: {},
          extras: [],
        }
        const answer = await policy.decide({ stage: 'request', caller, request, findings: [] })
        notes.policyRevision = policy.revision()
        notes.reasons = ['uninspected', ...answer.reasons]
        if (!answer.allow) throw new Refusal('policy_denied', { details: answer.reasons })
        await parts.audit.begin({
          id: received.id,
          route: received.route.name,
          model: '',
          caller,
          trace: notes.span.traceId,
        })
        notes.uninspected = 1
      } catch (error) {
        notes.outcome = 'refused'
        throw error
      } finally {
        await steps.record(notes)
      }
    },
  }
}

const localEndpoints = (steps: ReturnType<typeof composeSteps>, source: TokenSource, config: Config) => ({
  auth: passwordLogin(steps, source, jsonLimits(config)),
  token: clientLogin(steps, source),
  jwks: publishKeys(steps, source),
})
