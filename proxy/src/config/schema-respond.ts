import { z } from 'zod'
import { categories } from '../core/finding.ts'
import { name, path, secret, url } from './fields.ts'
import { milliseconds, section } from './quantities.ts'

const upTo = (max: number) => z.int().min(1).max(max)
const text = () => z.string().min(1).max(256)
const texts = () => z.array(text()).min(1).max(64)

const action = z.enum(['ignore', 'observe', 'redact', 'block'])

const caller = section({
  subject: text().describe('As in audit records.'),
  tenant: text().describe('As in audit records.'),
  via: text().describe('What vouches for it: jwt:NAME, api-key, certificate, service-account or local.'),
})

const rule = section({
  name: name().describe('For people.'),
  match: section({
    rules: texts().optional().describe('Names of Falco rules; any of them.'),
    priority: z
      .enum(['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'informational', 'debug'])
      .optional()
      .describe('Events at least as grave.'),
    tags: texts().optional().describe('All of them.'),
    sources: texts().optional().describe('Such as syscall or postern; any of them.'),
    hostnames: texts().optional().describe('Any of them.'),
  }).describe('Which events it is for. All that is given must hold.'),
  respond: z
    .enum(['revoke', 'tighten', 'quarantine'])
    .describe(
      'revoke a caller, tighten policy, or quarantine: this guard answers nothing any more; at the controller, the pod of the event.',
    ),
  caller: caller
    .optional()
    .describe('Whom to revoke. When absent, the caller that the event of a guard names.'),
  overlay: name().optional().describe('What to tighten by: a name under respond.overlays.'),
  for: milliseconds('1s', '366d').prefault('1h').describe('How long it holds.'),
})

const overlay = section({
  default: action.optional().describe('At least this for every finding.'),
  categories: z
    .partialRecord(z.enum(categories), action)
    .optional()
    .describe('At least this for findings of a category.'),
  rules: z.record(text(), action).default({}).describe('At least this for findings of a rule.'),
  maxTokens: upTo(10_000_000).optional().describe('Upper bound of the tokens of an answer.'),
  noTools: z.boolean().default(false).describe('No tool reaches the model.'),
  tenants: z.array(text()).max(1000).default([]).describe('For these tenants; for all when empty.'),
  deny: z.boolean().default(false).describe('Nothing is allowed.'),
})

const refusals = section({
  perMinute: upTo(1_000_000)
    .default(30)
    .describe('Refusals of one caller in a minute that it caused itself, from which on it is an attack.'),
  respond: z
    .enum(['revoke', 'tighten', 'event'])
    .default('revoke')
    .describe('revoke that caller at this guard, tighten policy for all, or only send the event.'),
  overlay: name().optional().describe('For tighten: a name under respond.overlays.'),
  for: milliseconds('1s', '366d').prefault('15m').describe('How long it holds.'),
  maxCallers: upTo(1_000_000).default(10_000).describe('Callers counted at once, about 300 bytes each.'),
})

const eventsShape = {
  url: url('http', 'https')
    .optional()
    .describe('Where events are posted, in the shape of Falco, such as http://falcosidekick:2801/.'),
  tokenFile: path().optional().describe('Bearer token for it, read for each event.'),
  tls: section({
    caFile: path().optional().describe('PEM certificates that vouch for it.'),
    certFile: path().optional().describe('PEM client certificate.'),
    keyFile: path().optional().describe('PEM key of the client certificate.'),
  }).optional(),
  maxQueue: upTo(100_000).default(1000).describe('Events that wait at most; later ones are dropped.'),
  timeout: milliseconds('100ms', '1m').prefault('5s').describe('For one try of three.'),
}

const events = section({
  ...eventsShape,
  headers: z
    .record(z.string().regex(/^[a-z0-9-]{1,64}$/), secret())
    .default({})
    .describe('Headers for it, such as a credential.'),
  lines: path().optional().describe('File that gets one JSON line for each event, appended.'),
  namespace: z.string().max(63).default('').describe('k8s.ns.name of the events; none when empty.'),
})

const limitsShape = {
  revocations: upTo(900).default(100).describe('Callers revoked by events at a time.'),
  overlays: upTo(64).default(8).describe('Overlays by events at a time.'),
  perMinute: upTo(900).default(20).describe('New responses by events in a minute.'),
  longest: milliseconds('1m', '366d').prefault('7d').describe('No response holds longer.'),
}

/** What guards and the controller have alike. */
const deskShape = {
  tokenFile: path()
    .optional()
    .describe(
      'Secret that falcosidekick sends as bearer token to POST /v1/respond/falco of the admin port. No events are taken without it.',
    ),
  operatorTokenFile: path()
    .optional()
    .describe('Another secret, for postern respond: who has it may list, give and undo responses.'),
  maxAge: milliseconds('10s', '1h').prefault('5m').describe('Older events are refused.'),
  rules: z.array(rule).max(256).default([]).describe('What is done about which event.'),
  protected: z
    .array(caller)
    .max(1000)
    .default([])
    .describe('Callers that are never revoked, such as those of an operator.'),
}

/** `respond` of a guard. */
export const respondSchema = section({
  ...deskShape,
  store: path().describe(
    'Where responses in force are kept, so that a restart forgets none. Made by the guard.',
  ),
  overlays: z
    .record(name(), overlay)
    .default({})
    .describe('What policy may be tightened by. A name that is not here blocks every finding.'),
  refusals: refusals.optional().describe('Responds to callers that are refused again and again.'),
  controller: section({
    url: url('https').describe(
      'The controller of charts/postern, such as https://postern-controller.postern.svc.',
    ),
    caFile: path().optional().describe('PEM certificates that vouch for the controller.'),
    tokenFile: path().optional().describe('ServiceAccount token for the controller, read at each call.'),
    keep: path().describe('Where its last answer is kept.'),
  })
    .optional()
    .describe('Follows the responses of the controller as well. Not ready until they are known.'),
  limits: section(limitsShape).prefault({}),
  events: events.optional().describe('Tells others what happened, in the shape of Falco.'),
})

/** `respond` of the controller. Absent: it responds to nothing, and nothing listens for events. */
export const controllerRespondSchema = section({
  ...deskShape,
  configMap: z.string().min(1).max(253).default('postern-responses').describe('Where orders are kept.'),
  protectedNamespaces: z
    .array(text())
    .max(1024)
    .default([])
    .describe('Whose pods are never quarantined, besides those of Kubernetes and of the release.'),
  limits: section({
    ...limitsShape,
    quarantines: upTo(100).default(3).describe('Pods quarantined by events at a time.'),
  }).prefault({}),
  signingKeyFile: path()
    .optional()
    .describe(
      'Ed25519 private key (PEM, PKCS #8) that signs the audit lines of responses on standard output, in each replica. When absent each process makes one of its own.',
    ),
  events: section(eventsShape)
    .optional()
    .describe('Tells others what the controller does, in the shape of Falco.'),
})
