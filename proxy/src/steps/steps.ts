import type { admitStep } from './admit.ts'
import type { decideStep } from './decide.ts'
import type { forwardStep } from './forward.ts'
import type { guardReplyStep } from './guard-reply.ts'
import type { identifyStep } from './identify.ts'
import type { Inspect } from './inspect.ts'
import type { limitStep } from './limit.ts'
import type { openStep } from './open.ts'
import type { readPromptStep } from './read-prompt.ts'
import type { recordStep } from './record.ts'
import type { refuseStep } from './refuse.ts'

/** The lines of `guard()`, each made by compose from the parts it needs. */
export interface Steps {
  readonly open: ReturnType<typeof openStep>
  readonly identify: ReturnType<typeof identifyStep>
  readonly readPrompt: ReturnType<typeof readPromptStep>
  readonly limit: ReturnType<typeof limitStep>
  readonly inspect: Inspect
  readonly decide: ReturnType<typeof decideStep>
  readonly admit: typeof admitStep
  readonly forward: ReturnType<typeof forwardStep>
  readonly guardReply: ReturnType<typeof guardReplyStep>
  readonly refuse: ReturnType<typeof refuseStep>
  readonly record: ReturnType<typeof recordStep>
}
