import type { Log } from '../core/log.ts'
import type { PolicyEngine, PolicyInput } from '../core/policy.ts'
import { asRefusal } from '../core/refusal.ts'
import { parseAnswer, parseLimits } from './answer.ts'
import { opaClient, type OpaClientOptions } from './opa-client.ts'
import { limitsQuestion, question } from './question.ts'

export interface OpaServerOptions extends OpaClientOptions {
  readonly log: Log
}

/** Not ready after so long without an answer: short failures are refusals, long ones take the guard out of service. */
const UNREADY_AFTER_MS = 3000
const PROBE_MS = 1000

/**
 * An OPA server over its REST API. Every decision is asked for: what a server answers may depend on more than the input.
 * Asks by itself once a second when nobody else does, so that a guard out of service comes back.
 */
export const opaServer = (options: OpaServerOptions): PolicyEngine => {
  const client = opaClient(options)
  const health = healthOf(options.log)
  let revision = 'unknown'

  const ask = async <Answer>(
    document: string,
    input: string,
    parse: (value: unknown) => Answer,
  ): Promise<Answer> => {
    try {
      const reply = await client.ask(document, input)
      const answer = parse(reply.result)
      revision = reply.revision ?? 'unknown'
      health.answered()
      return answer
    } catch (error) {
      const refusal = asRefusal(error)
      health.failed(refusal)
      throw refusal
    }
  }

  let probing = false
  const probe = async (): Promise<void> => {
    if (probing || !health.idle()) return
    probing = true
    await ask(DECISION, PROBE, parseAnswer).catch(() => undefined)
    probing = false
  }
  void probe()
  const timer = setInterval(() => void probe(), PROBE_MS)
  timer.unref()

  return {
    name: 'opa',
    revision: () => revision,
    unready: () => health.unready(),
    async decide(input) {
      const asked = question(input)
      return typeof asked === 'string' ? ask(DECISION, asked, parseAnswer) : asked
    },
    limits: (facts) => ask(LIMITS, JSON.stringify(limitsQuestion(facts)), parseLimits),
    async close() {
      clearInterval(timer)
      await client.close()
    },
  }
}

const DECISION = 'postern/decision'
const LIMITS = 'postern/limits'

/** Nobody: any policy has an answer, and no sensible one allows it. */
const PROBE = JSON.stringify({
  stage: 'model',
  caller: { subject: 'postern-probe', tenant: '', roles: [], scopes: [], via: 'postern-probe' },
  request: { route: 'openai.models', model: '', stream: false, tools: [], params: {}, extras: [] },
  findings: [],
} satisfies PolicyInput)

interface Health {
  answered(): void
  failed(error: Error): void
  /** True when there was no answer lately. */
  idle(): boolean
  unready(): string | undefined
}

const healthOf = (log: Log): Health => {
  let answeredAt: number | undefined
  let failingSince: number | undefined
  return {
    answered() {
      if (failingSince !== undefined) log.info('policy_server_answers_again')
      answeredAt = performance.now()
      failingSince = undefined
    },
    failed(error) {
      if (failingSince !== undefined) return
      failingSince = performance.now()
      log.error('policy_server_failed', { cause: error })
    },
    idle: () => answeredAt === undefined || performance.now() - answeredAt >= PROBE_MS / 2,
    unready() {
      if (answeredAt === undefined) return 'policy server has not answered yet'
      if (failingSince === undefined || performance.now() - failingSince < UNREADY_AFTER_MS) return undefined
      return 'policy server does not answer'
    },
  }
}
