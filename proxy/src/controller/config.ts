import { z } from 'zod'

const dnsLabel = () =>
  z
    .string()
    .max(63)
    .regex(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/, {
      error: 'must be a Kubernetes name: lower-case letters, digits and -, such as postern',
    })

const dnsName = () =>
  z
    .string()
    .max(253)
    .regex(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/, {
      error: 'must be a DNS name in lower-case letters, such as cluster.local',
    })

const file = () => z.string().min(1).max(4096)
const port = () => z.int().min(0).max(65_535)
const containerPort = () => z.int().min(1).max(65_535)
const quantity = (example: string) =>
  z.string().regex(/^[1-9]\d{0,11}(?:\.\d{1,3})?(?:m|k|Ki|M|Mi|G|Gi)?$/, {
    error: `must be a Kubernetes quantity such as ${example}`,
  })
const UNITS: Readonly<Record<string, number>> = {
  ...{ m: 1e-3, k: 1e3, M: 1e6, G: 1e9 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
}
const bytesOf = (amount: string): number =>
  Number.parseFloat(amount) * (UNITS[amount.replace(/^[\d.]+/, '')] ?? 1)
const whole = (min: number, max: number) => z.int().min(min).max(max)

const address = (host: string, number: number) =>
  z
    .strictObject({
      host: z.string().min(1).max(255).default(host).describe('Address to listen on.'),
      port: port().default(number).describe('Port to listen on; 0 for any free one.'),
    })
    .prefault({})

const service = z.strictObject({
  name: dnsLabel()
    .default('postern-controller')
    .describe('Service in front of the controller; its names are in the certificate.'),
  clusterDomain: dnsName().default('cluster.local').describe('DNS domain of the cluster.'),
})

const injection = z.strictObject({
  version: z.string().min(1).max(64).describe('Version written into the status annotation.'),
  image: z.string().min(1).max(512).describe('Image of the guard; admission accepts no other.'),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  profiles: file()
    .default('/etc/postern/profiles')
    .describe('Folder with one guard configuration per profile: NAME.yaml. Followed when it changes.'),
  resources: z
    .strictObject({
      cpu: quantity('100m').default('100m').describe('CPU that a guard requests. There is no limit.'),
      memory: quantity('256Mi').default('256Mi').describe('Memory that a guard requests.'),
      memoryLimit: quantity('512Mi')
        .default('512Mi')
        .describe('Memory that a guard may use, at least what it requests.'),
    })
    .refine(({ memory, memoryLimit }) => bytesOf(memoryLimit) >= bytesOf(memory), {
      path: ['memoryLimit'],
      error: 'is less than memory, which a guard requests: no pod could be made',
    })
    .prefault({}),
  drainSeconds: whole(0, 3600).default(30).describe('How long a guard lets running answers finish.'),
  adminPort: containerPort().default(8081),
  guardPort: containerPort().default(8080),
  after: z
    .array(dnsLabel())
    .max(16)
    .default([])
    .describe('Init containers that stay before the guard, such as a signature verifier.'),
  identity: z
    .enum(['controller', 'csi-driver-spiffe', 'spire', 'none'])
    .default('controller')
    .describe('Where a guard gets its certificate.'),
})

const certificates = z.strictObject({
  source: z
    .enum(['own', 'files'])
    .default('own')
    .describe('Certificate of the webhook server: from the own CA, or files that cert-manager keeps.'),
  files: z
    .strictObject({
      cert: file().default('/etc/postern/tls/tls.crt'),
      key: file().default('/etc/postern/tls/tls.key'),
      ca: file().default('/etc/postern/tls/ca.crt'),
    })
    .prefault({})
    .describe('Followed when they change. Used with source files only.'),
  webhooks: z
    .array(dnsName())
    .max(16)
    .default(['postern'])
    .describe('MutatingWebhookConfigurations whose caBundle is kept. With source own only.'),
  secret: dnsName().default('postern-ca').describe('Secret with the CA and the key that signs bundles.'),
  trustDomain: dnsName().default('cluster.local').describe('SPIFFE trust domain of the certificates.'),
  caDays: whole(2, 3650).default(365).describe('Life of a CA. The next one comes when a third is left.'),
  workloadHours: whole(1, 168).default(24).describe('Life of a certificate, the own one included.'),
  settleSeconds: whole(1, 86_400)
    .default(900)
    .describe('How long a new CA or bundle key is trusted everywhere before it signs.'),
})

const seconds = (standard: number) => whole(1, 3600).default(standard)

/** The controller's configuration file. Closed: a key that is not here is a mistake. */
export const controllerConfigSchema = z.strictObject({
  namespace: dnsLabel().describe('Namespace of the release: its Secret, Lease and policies.'),
  listen: address('0.0.0.0', 8443).describe('Webhooks and the API for guards, HTTPS.'),
  admin: address('0.0.0.0', 8081).describe('/livez, /readyz and /metrics, without TLS.'),
  service: service.prefault({}),
  owner: dnsName()
    .default('postern-controller')
    .describe('ClusterRole that owns what the controller makes in other namespaces.'),
  injection,
  certificates: certificates.prefault({}),
  policies: z
    .strictObject({
      enabled: z.boolean().default(true),
      sources: file().default('/postern/policies').describe('Folder with the Rego sources of this version.'),
      opa: file().default('/usr/bin/opa').describe('The OPA program, which checks and builds.'),
    })
    .prefault({}),
  networkPolicies: z
    .strictObject({
      enabled: z.boolean().default(true),
      monitoringNamespaces: z.array(dnsLabel()).max(64).default(['monitoring']),
      clientNamespaces: z.array(dnsLabel()).max(1024).default([]).describe('Empty: from anywhere.'),
    })
    .prefault({}),
  leaderElection: z
    .strictObject({
      lease: dnsName().default('postern-controller'),
      leaseSeconds: seconds(15).describe('How long the others wait before they take over.'),
      renewSeconds: seconds(10).describe('How long the leader tries to renew before it stops writing.'),
      retrySeconds: seconds(2).describe('Between two tries.'),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
})

export type ControllerConfig = z.output<typeof controllerConfigSchema>

export interface Mistake {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What no single field can tell. Each names the place to correct and what to do there. */
export const configMistakes = ({
  listen,
  admin,
  injection: { adminPort, guardPort },
  leaderElection: { leaseSeconds, renewSeconds, retrySeconds },
  certificates: { caDays, workloadHours, settleSeconds },
}: ControllerConfig): readonly Mistake[] => {
  const found: Mistake[] = []
  const check = (wrong: boolean, path: Mistake['path'], message: string): void => {
    if (wrong) found.push({ path, message })
  }
  check(
    listen.port !== 0 && listen.port === admin.port,
    ['admin', 'port'],
    'is the port of listen too; give the admin port its own',
  )
  check(
    adminPort === guardPort,
    ['injection', 'adminPort'],
    'is guardPort too; give the two ports of a guard different numbers',
  )
  check(
    renewSeconds >= leaseSeconds,
    ['leaderElection', 'renewSeconds'],
    'must be less than leaseSeconds: a leader has to stop before the next one begins; lower it',
  )
  check(
    retrySeconds >= renewSeconds,
    ['leaderElection', 'retrySeconds'],
    'must be less than renewSeconds, or a leader has only one try; lower it',
  )
  // What a CA signs must end before it, and the next CA must sign by then.
  check(
    (caDays * 24) / 3 <= workloadHours + settleSeconds / 3600,
    ['certificates', 'caDays'],
    'is too short: a third of it must be longer than workloadHours and settleSeconds together; raise it',
  )
  return found
}
