import { fileURLToPath } from 'node:url'

export const chart = fileURLToPath(new URL('../postern', import.meta.url))

/** The least that a gateway needs. */
export const models = {
  upstreams: [{ name: 'model', url: 'https://llm.example.com' }],
  models: [{ name: 'small', targets: [{ upstream: 'model' }] }],
}

/** Everything on that can be on together. */
export const all = {
  imagePullSecrets: [{ name: 'registry' }],
  certificates: { source: 'cert-manager' },
  admission: { requireVerifiedModels: { enabled: true, keyWriters: ['platform'] } },
  policies: { data: { tenants: { a: {} } }, rego: { 'mine.rego': 'package mine\n' } },
  respond: {
    enabled: true,
    secret: 'respond',
    auditSecret: 'respond-audit',
    settings: {
      rules: [{ name: 'shell', match: { tags: ['shell'] }, respond: 'quarantine' }],
      events: { url: 'http://falcosidekick.falco:2801/' },
    },
  },
  monitoring: {
    podMonitor: { enabled: true },
    serviceMonitor: { enabled: true },
    rules: { enabled: true },
    dashboards: { enabled: true },
  },
  gateway: {
    enabled: true,
    configuration: models,
    tls: { source: 'cert-manager', issuer: { name: 'letsencrypt' }, clientAuth: 'optional' },
    redis: { url: 'rediss://redis.cache:6380', password: { secret: 'redis' } },
    autoscaling: { enabled: true, metric: { name: 'postern_in_flight' } },
    secret: 'keys',
  },
}

export const variants: Readonly<Record<string, unknown>> = {
  default: {},
  'cert-manager': { certificates: { source: 'cert-manager' } },
  gateway: { gateway: { enabled: true, configuration: models } },
  policy: { injection: { by: 'policy' } },
  spire: { injection: { by: 'policy', identity: 'spire' } },
  'no-identity': { injection: { identity: 'none' }, policies: { enabled: false } },
  keda: { gateway: { enabled: true, configuration: models, keda: { enabled: true } } },
  respond: { respond: { enabled: true, secret: 'respond' } },
  verified: { admission: { requireVerifiedModels: { enabled: true } } },
  open: { admission: { enabled: false }, networkPolicies: { enabled: false } },
  all,
}
