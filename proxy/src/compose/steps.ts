import type { Behaviour } from '../core/behaviour.ts'
import type { AuditLog } from '../core/audit.ts'
import type { Capture } from '../core/capture.ts'
import type { Limiter } from '../core/limits.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { PolicyEngine } from '../core/policy.ts'
import type { Scanner } from '../core/scanner.ts'
import type { JsonLimits } from '../core/strict-json.ts'
import type { Tracer } from '../core/tracing.ts'
import type { Models } from '../core/upstream.ts'
import type { Config } from '../config/schema.ts'
import { admitStep } from '../steps/admit.ts'
import { behaveStep } from '../steps/behave.ts'
import { decideStep } from '../steps/decide.ts'
import { forwardStep } from '../steps/forward.ts'
import { guardReplyStep } from '../steps/guard-reply.ts'
import { identifyStep } from '../steps/identify.ts'
import { inspectStep } from '../steps/inspect.ts'
import { limitStep } from '../steps/limit.ts'
import { openStep } from '../steps/open.ts'
import { readPromptStep } from '../steps/read-prompt.ts'
import { recordStep } from '../steps/record.ts'
import { refuseStep } from '../steps/refuse.ts'
import type { Steps } from '../steps/steps.ts'
import { plainNames } from './behaviour.ts'
import type { Identity } from './identity.ts'
import { dialects, errorShapeOf } from './routes.ts'
import { answerScanner, argumentScanner } from './scanner.ts'
import { versionsOf } from './versions.ts'

export interface StepParts {
  readonly config: Config
  readonly scanner: Scanner
  readonly identity: Pick<Identity, 'identify'>
  readonly models: Models
  readonly limiter: Limiter
  readonly policy: PolicyEngine
  readonly audit: AuditLog
  readonly capture?: Capture | undefined
  readonly tracer: Tracer
  readonly behaviour: Behaviour
  readonly meter: Meter
  readonly log: Log
}

export const jsonLimits = ({ inspection }: Config): JsonLimits => ({
  depth: inspection.jsonDepth,
  nodes: inspection.jsonNodes,
  keys: inspection.jsonKeys,
})

/** Embeddings are long lists of numbers; the size of an answer is bounded by the upstream already. */
const REPLY_NODES = 4_000_000
const EVENT_CHARS = 1 << 20
const ARGUMENT_CHARS = 1 << 20

export const composeSteps = (parts: StepParts): Steps => {
  const {
    config,
    scanner,
    identity,
    models,
    limiter,
    policy,
    audit,
    capture,
    tracer,
    behaviour,
    meter,
    log,
  } = parts
  const { allowNonText, extras, disableRules } = config.inspection
  const ofAnswers = answerScanner(scanner, disableRules)
  const json = jsonLimits(config)
  const defaultModel = config.defaultModel ?? config.models.find(({ name }) => !name.includes('*'))?.name
  return {
    open: openStep(tracer, meter),
    identify: identifyStep(identity.identify),
    readPrompt: readPromptStep({
      dialects,
      options: {
        allowNonText,
        extras: new Set(extras),
        ...(defaultModel === undefined ? {} : { defaultModel }),
      },
      json,
    }),
    limit: limitStep({ limiter, policy, defaultOutputTokens: config.limits.maxOutputTokens }),
    inspect: inspectStep(scanner, capture),
    decide: decideStep(policy),
    admit: admitStep,
    forward: forwardStep({ models, audit }),
    guardReply: guardReplyStep({
      inspect: inspectStep(ofAnswers, capture),
      scanner: ofAnswers,
      checkArguments: argumentScanner(disableRules),
      capture,
      sample: () => behaviour.sample(),
      json: { ...json, nodes: REPLY_NODES },
      maxEventChars: EVENT_CHARS,
      maxHeldChars: config.inspection.maxHold,
      maxArgumentChars: ARGUMENT_CHARS,
    }),
    refuse: refuseStep({ shapeFor: ({ route }) => errorShapeOf(route), log }),
    record: recordStep({
      ...{ audit, meter, log },
      engine: policy.name,
      versions: versionsOf(scanner),
      behave: behaveStep({
        ...{ behaviour, log },
        listed: (model) => models.listed(model),
        isPlain: plainNames(scanner),
      }),
    }),
  }
}
