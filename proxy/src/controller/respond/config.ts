import { z } from 'zod'

const file = () => z.string().min(1).max(4096)
const text = () => z.string().min(1).max(256)
const texts = () => z.array(text()).min(1).max(64)
const whole = (min: number, max: number) => z.int().min(min).max(max)

const caller = z.strictObject({ subject: text(), tenant: text(), via: text() })

const rule = z
  .strictObject({
    name: text(),
    match: z
      .strictObject({
        rules: texts().optional().describe('Names of Falco rules; any of them.'),
        priority: z
          .enum(['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'informational', 'debug'])
          .optional()
          .describe('Events at least as grave.'),
        tags: texts().optional().describe('All of them.'),
        sources: texts().optional().describe('Any of them.'),
        hostnames: texts().optional().describe('Any of them.'),
      })
      .refine((match) => Object.keys(match).length > 0, { error: 'would match every event; name one thing' }),
    respond: z.enum(['revoke', 'tighten', 'quarantine']),
    caller: caller.optional().describe('Whom to revoke; whom the event of a guard names when absent.'),
    overlay: text().optional().describe('What to tighten by: a name in the profiles of guards.'),
    forSeconds: whole(1, 31_622_400).default(3600),
  })
  .refine(({ respond, overlay }) => respond !== 'tighten' || overlay !== undefined, {
    error: 'tightens policy: name the overlay',
  })

/** Automated responses to threats. Absent: there are none, and nothing listens for them. */
export const respondConfigSchema = z.strictObject({
  configMap: z.string().min(1).max(253).default('postern-responses').describe('Where they are kept.'),
  tokenFile: file().optional().describe('Secret of falcosidekick; without it no event is taken.'),
  operatorTokenFile: file().optional().describe('Secret of operators, who list, give and undo.'),
  maxAgeSeconds: whole(10, 3600).default(300).describe('Older events are refused.'),
  rules: z.array(rule).max(256).default([]),
  protectedNamespaces: z
    .array(text())
    .max(1024)
    .default([])
    .describe('Whose pods are never quarantined, besides those of Kubernetes and of the release.'),
  protectedCallers: z.array(caller).max(1000).default([]).describe('Never revoked.'),
  limits: z
    .strictObject({
      revocations: whole(1, 900).default(100),
      overlays: whole(1, 64).default(8),
      quarantines: whole(1, 100).default(3).describe('Pods quarantined by events at a time.'),
      perMinute: whole(1, 900).default(20).describe('New responses by events in a minute.'),
      longestSeconds: whole(60, 31_622_400).default(604_800),
    })
    .prefault({}),
})

export type RespondConfig = z.output<typeof respondConfigSchema>
