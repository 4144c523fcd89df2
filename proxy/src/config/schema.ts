import { z } from 'zod'
import { name } from './fields.ts'
import { section } from './quantities.ts'
import { behaviourSchema } from './schema-behaviour.ts'
import { auditSchema, inspectionSchema, limitsSchema, policySchema, telemetrySchema } from './schema-guard.ts'
import { identitySchema } from './schema-identity.ts'
import { modelRegistrySchema, modelSchema, retrySchema, upstreamSchema } from './schema-models.ts'
import { respondSchema } from './schema-respond.ts'
import { adminSchema, routeSchema, serverSchema } from './schema-server.ts'
import { workloadSchema } from './schema-workload.ts'

/** The configuration file. Closed: a key that is not here is an error. */
export const configSchema = section({
  server: serverSchema.prefault({}).describe('Where clients connect.'),
  admin: adminSchema.prefault({}).describe('Where probes, Prometheus and people look.'),
  routes: z
    .array(routeSchema)
    .max(256)
    .default([])
    .describe('Changes to the built-in routes, which are all on, and routes that pass without inspection.'),
  identity: identitySchema
    .prefault({})
    .describe('How callers prove who they are. At least one way is needed.'),
  workload: workloadSchema
    .optional()
    .describe('Certificates of the guard itself, given and renewed by a controller or by SPIRE.'),
  upstreams: z.array(upstreamSchema).min(1).max(256).describe('Model servers.'),
  models: z
    .array(modelSchema)
    .min(1)
    .max(4096)
    .describe('Models that clients may ask for. Others are refused.'),
  modelRegistry: modelRegistrySchema
    .optional()
    .describe('Where targets with `follow` find which version of a model is champion, canary and so on.'),
  retry: retrySchema.prefault({}).describe('Second attempts, always before the first byte of an answer.'),
  defaultModel: name()
    .optional()
    .describe('Model of requests that cannot name one (/llm, /chat); the first model when absent.'),
  policy: policySchema.prefault({}).describe('Who decides.'),
  inspection: inspectionSchema.prefault({}).describe('How content is read.'),
  limits: limitsSchema
    .prefault({})
    .describe('Where rates and budgets are counted. The rates themselves are policy data.'),
  audit: auditSchema.prefault({}).describe('Where it is written what happened.'),
  behaviour: behaviourSchema
    .prefault({})
    .describe('What is noticed about models and callers: drift, entropy, tools, disparity.'),
  respond: respondSchema
    .optional()
    .describe(
      'Automated responses to threats: revoke callers, tighten policy, quarantine; events in and out.',
    ),
  telemetry: telemetrySchema.prefault({}).describe('Logs and traces. Metrics are at the admin port.'),
})

export type Config = z.output<typeof configSchema>
