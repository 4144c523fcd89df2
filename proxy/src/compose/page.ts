import type { IncomingMessage, ServerResponse } from 'node:http'
import { plainPath } from '../audit/paths.ts'
import type { Config } from '../config/schema.ts'
import type { AuditLog, FeedbackLog } from '../core/audit.ts'
import type { BehaviourReport } from '../core/behaviour.ts'
import type { Json } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { loginThrottle } from '../identity/login-throttle.ts'
import { isPasswordOf, readPasswordHash } from '../identity/password.ts'
import type { PageAuth } from '../ui/login.ts'
import { uiPages } from '../ui/pages.ts'
import { watchDecisions } from '../ui/seen.ts'
import type { GuardState, Part } from '../ui/state.ts'
import type { PartHealth } from './generation.ts'
import { guardVersion } from './versions.ts'

export interface PageParts {
  /** Why no traffic should come; empty when it should. */
  readonly ready: () => readonly string[]
  /** Undefined until a policy answers. */
  readonly policyRevision: () => string | undefined
  readonly health: () => readonly PartHealth[]
  readonly coverage: () => Json
  readonly behaviour: () => BehaviourReport
  /** Where what people say of decisions goes. */
  readonly feedback: FeedbackLog
  readonly meter: Meter
  readonly log: Log
}

export interface AdminPage {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** The same log, whose records the page sees as well. The log itself where there is no page. */
  watching(audit: AuditLog): AuditLog
  close(): void
}

const SWITCH_ON = [
  "printf %s 'your password' | postern token password > ui-password",
  'admin: { ui: { passwordHash: { file: ui-password } } }',
]

/** The page for people at the admin port. Without a password it only says how to have one. Throws Error for a hash that is none. */
export const adminPage = (config: Config, parts: PageParts): AdminPage => {
  const { ui } = config.admin
  const watch = watchDecisions({ size: ui?.decisions ?? 1, plainPath })
  const startedAt = Date.now()
  const pages = uiPages({
    ...watch,
    state: () => stateOf(config, parts, startedAt),
    coverage: parts.coverage,
    behaviour: parts.behaviour,
    judging: {
      judge: async (exchange, rule, verdict) => {
        await parts.feedback.judge({ exchange, rule, verdict })
        parts.meter.add('postern_feedback_total', 1, rule, verdict)
      },
    },
    auth: ui && authOf(ui),
    howToSwitchOn: SWITCH_ON,
    log: parts.log,
  })
  return {
    handle: (request, response) => pages.handle(request, response),
    watching: (audit) =>
      ui === undefined
        ? audit
        : {
            begin: (entry) => audit.begin(entry),
            end: (record) => {
              watch.seen(record)
              return audit.end(record)
            },
            unready: () => audit.unready(),
            close: () => audit.close(),
          },
    close: () => pages.close(),
  }
}

type UiConfig = NonNullable<Config['admin']['ui']>

const authOf = ({ passwordHash, secureCookie }: UiConfig): PageAuth => {
  const stored = readPasswordHash(passwordHash.reveal())
  if (stored === undefined)
    throw new Error(
      `admin.ui.passwordHash: ${passwordHash.source} holds no scrypt hash; postern token password makes one`,
    )
  return {
    isPassword: (password) => isPasswordOf(password, stored),
    throttle: loginThrottle({ attemptsPerSecond: 2 }),
    secureCookie,
  }
}

const stateOf = (config: Config, parts: PageParts, startedAt: number): GuardState => ({
  version: guardVersion(),
  startedAt,
  ready: parts.ready(),
  policy: { engine: config.policy.engine, revision: parts.policyRevision() ?? '', since: undefined },
  parts: parts.health().map(({ area, name, wrong }): Part => ({
    area,
    name,
    state: wrong === undefined ? 'good' : 'bad',
    says: wrong ?? 'well',
  })),
})
