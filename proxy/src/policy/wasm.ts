import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { PolicyEngine, PolicyInput } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { watchFiles } from '../core/watch-files.ts'
import { parseAnswer, parseLimits } from './answer.ts'
import { bundlePaths, readBundle, type BundleFiles } from './bundle.ts'
import { answerCache, type AnswerCache } from './cache.ts'
import { DECISION, evaluator, LIMITS, type Evaluator } from './evaluator.ts'
import { limitsQuestion, question } from './question.ts'

export interface WasmPolicyOptions extends BundleFiles {
  /** Answers kept for equal facts; 4096 when absent, 0 keeps none. Each takes 1 to 2 KB, a rare one up to 10. */
  readonly cacheEntries?: number
  readonly meter: Meter
  readonly log: Log
}

export interface WasmPolicy extends PolicyEngine {
  /** Reads bundle and data again. A bundle that does not load or does not answer leaves the last good one in place. Never throws. */
  reload(): Promise<void>
}

/**
 * OPA in process, as WebAssembly. A decision is a pure function of input and data, since no builtin that the SDK has
 * reads a clock, a random source or the network; so equal facts are asked once.
 * Watches its files. Throws Error when the first bundle cannot be used.
 */
export const wasmPolicy = async (options: WasmPolicyOptions): Promise<WasmPolicy> => {
  const { meter, log, cacheEntries = 4096 } = options
  let policy: Loaded | undefined
  const read = async (): Promise<void> => {
    policy = await load(options, cacheEntries)
  }
  const reread = async (): Promise<void> => {
    try {
      await read()
      meter.add('postern_reloads_total', 1, 'policy', 'ok')
      log.info('policy_reloaded', { revision: policy?.evaluator.revision })
    } catch (error) {
      meter.add('postern_reloads_total', 1, 'policy', 'failed')
      log.error('policy_reload_failed', { revision: policy?.evaluator.revision, cause: asError(error) })
    }
  }
  // Watching begins before reading, or a change in between would go unseen.
  const watch = watchFiles({ paths: bundlePaths(options), onChange: () => (reading = reading.then(reread)) })
  let reading = read()
  await reading.catch((error: unknown) => {
    watch.close()
    throw error
  })

  const current = (): Loaded => {
    if (policy === undefined) throw new Refusal('guard_unavailable', { details: ['policy'] })
    return policy
  }
  const ask = <Answer>({ entrypoint, key, input, parse }: Ask<Answer>): Answer => {
    const { evaluator: engine, cache } = current()
    const { answer, hit } = cache.answer(`${entrypoint} ${key}`, () =>
      evaluate(engine, { entrypoint, input, parse }),
    )
    meter.add('postern_policy_cache_total', 1, hit ? 'hit' : 'miss')
    return answer
  }

  return {
    name: 'wasm',
    revision: () => current().evaluator.revision,
    unready: () => undefined,
    decide: (input) =>
      attempt(() => {
        const asked = question(input)
        return typeof asked === 'string'
          ? ask({ entrypoint: DECISION, key: asked, input, parse: parseAnswer })
          : asked
      }),
    limits: (facts) =>
      attempt(() => {
        const input = limitsQuestion(facts)
        return ask({ entrypoint: LIMITS, key: JSON.stringify(input), input, parse: parseLimits })
      }),
    // Through the watch, which then knows what was read: told and seen, a change is read once.
    reload: () => watch.now(),
    close: () => {
      watch.close()
      return Promise.resolve()
    },
  }
}

interface Loaded {
  readonly evaluator: Evaluator
  readonly cache: AnswerCache
}

interface Question<Answer> {
  readonly entrypoint: string
  readonly input: object
  readonly parse: (value: unknown) => Answer
}

interface Ask<Answer> extends Question<Answer> {
  readonly key: string
}

const load = async (files: BundleFiles, cacheEntries: number): Promise<Loaded> => {
  const bundle = await readBundle(files)
  const engine = evaluator(bundle)
  const { roles } = bundle.data
  tryOut(engine, typeof roles === 'object' && roles !== null ? Object.keys(roles) : [])
  return { evaluator: engine, cache: answerCache(cacheEntries) }
}

const TRIED_ROLES = 256

/** A policy that cannot answer about a plain request of each of its roles must not replace one that can. */
const tryOut = (engine: Evaluator, roles: readonly string[]): void => {
  for (const role of ['', ...roles.slice(0, TRIED_ROLES)]) {
    const input = plainRequest(role)
    for (const stage of ['request', 'response', 'tool_call', 'model']) {
      evaluate(engine, { entrypoint: DECISION, input: { ...input, stage }, parse: parseAnswer })
    }
    evaluate(engine, { entrypoint: LIMITS, input: { caller: input.caller, model: '' }, parse: parseLimits })
  }
}

const plainRequest = (role: string): PolicyInput => ({
  stage: 'request',
  caller: { subject: '', tenant: '', roles: [role], scopes: [], via: '' },
  request: { route: 'openai.chat', model: '', stream: false, tools: [], params: {}, extras: [] },
  findings: [],
})

const evaluate = <Answer>(engine: Evaluator, { entrypoint, input, parse }: Question<Answer>): Answer => {
  try {
    return deepFreeze(parse(engine.evaluate(entrypoint, input)))
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('guard_failed', { cause: nameOnly(error), details: ['policy'] })
  }
}

/** The SDK throws strings and plain objects too, and a JSON error quotes what it could not read. */
const nameOnly = (error: unknown): Error =>
  new Error(
    `policy evaluation failed: ${error instanceof Error ? error.name : typeof error === 'string' ? error.slice(0, 200) : 'error of the SDK'}`,
  )

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** What `ask` throws rejects. */
const attempt = <Answer>(ask: () => Answer): Promise<Answer> =>
  new Promise((resolve) => {
    resolve(ask())
  })

/** Cached answers are shared by exchanges. */
const deepFreeze = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
