import type { V1EnvVar, V1Probe, V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import type { Container, Plain } from './objects.ts'
import type { PodOverlay } from '../../core/pod.ts'
import type { Tuning } from './annotations.ts'
import { ADMIN_PORT } from './port-names.ts'
import { refuse } from './refuse.ts'
import { GUARD, type InjectSettings } from './settings.ts'

const USER = 65_532
const STARTUP_SECONDS = 120 // first policies and first certificate from the controller, which may be starting too

export interface GuardParts {
  readonly settings: InjectSettings
  readonly tuning: Tuning
  readonly overlay: PodOverlay
  /** Names of the guard's own port; none when the model's container declares it already. */
  readonly portNames: readonly string[]
}

/** The native sidecar. Pod Security `restricted` accepts it. */
export const guardContainer = ({ settings, tuning, overlay, portNames }: GuardParts): Container => ({
  name: GUARD,
  image: settings.image,
  imagePullPolicy: settings.imagePullPolicy,
  restartPolicy: 'Always',
  args: ['serve', 'env:POSTERN_CONFIG', '--pod', 'env:POSTERN_POD'],
  env: [
    {
      name: 'POSTERN_CONFIG',
      value: unexpanded(tuning.profile, settings.profiles.get(tuning.profile) ?? ''),
    },
    // `$` as an escape of JSON, so that Kubernetes finds nothing to expand.
    { name: 'POSTERN_POD', value: JSON.stringify(overlay).replaceAll('$', '\\u0024') },
    ...podFields,
  ],
  ports: [
    ...portNames.map((name) => ({ name, containerPort: overlay.listen.port, protocol: 'TCP' })),
    { name: ADMIN_PORT, containerPort: overlay.adminPort, protocol: 'TCP' },
  ],
  resources: {
    requests: { cpu: tuning.cpu, memory: tuning.memory },
    limits: { memory: tuning.memoryLimit },
  },
  startupProbe: {
    ...asks(overlay.adminPort, '/readyz'),
    periodSeconds: 1,
    failureThreshold: STARTUP_SECONDS,
  },
  readinessProbe: { ...asks(overlay.adminPort, '/readyz'), periodSeconds: 5, failureThreshold: 2 },
  livenessProbe: { ...asks(overlay.adminPort, '/livez'), periodSeconds: 10, failureThreshold: 3 },
  lifecycle: { preStop: { httpGet: { path: '/drain', port: overlay.adminPort, scheme: 'HTTP' } } },
  securityContext: {
    runAsNonRoot: true,
    runAsUser: USER,
    runAsGroup: USER,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
  volumeMounts: mounts(settings, tuning),
})

/** In the order in which they are added to a pod. */
export const guardVolumes = (settings: InjectSettings, tuning: Tuning): readonly Plain<V1Volume>[] => [
  { name: 'postern-run', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
  { name: 'postern-tmp', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
  { name: 'postern-audit', emptyDir: {} },
  { name: 'postern-trust', configMap: { name: 'postern-trust', defaultMode: 0o644 } },
  {
    name: 'postern-token',
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { audience: settings.audience, expirationSeconds: 3600, path: 'token' } },
      ],
    },
  },
  ...identityVolumes(settings),
  ...(tuning.secret === undefined
    ? []
    : [{ name: 'postern-secret', secret: { secretName: tuning.secret, defaultMode: 0o644 } }]),
]

const mounts = (settings: InjectSettings, tuning: Tuning): Plain<V1VolumeMount>[] => [
  { name: 'postern-run', mountPath: '/run/postern' },
  { name: 'postern-tmp', mountPath: '/tmp' },
  { name: 'postern-audit', mountPath: '/var/log/postern' },
  { name: 'postern-trust', mountPath: '/etc/postern/trust', readOnly: true },
  { name: 'postern-token', mountPath: '/var/run/postern', readOnly: true },
  ...(settings.identity === 'csi-driver-spiffe'
    ? [{ name: 'postern-identity', mountPath: '/run/postern/identity', readOnly: true }]
    : []),
  ...(settings.identity === 'spire'
    ? [{ name: 'postern-identity', mountPath: '/run/spire', readOnly: true }]
    : []),
  ...(tuning.secret === undefined
    ? []
    : [{ name: 'postern-secret', mountPath: '/etc/postern/secrets', readOnly: true }]),
]

const identityVolumes = (settings: InjectSettings): readonly Plain<V1Volume>[] => {
  switch (settings.identity) {
    case 'controller':
    case 'none':
      return []
    case 'csi-driver-spiffe':
      return [
        {
          name: 'postern-identity',
          csi: {
            driver: 'spiffe.csi.cert-manager.io',
            readOnly: true,
            volumeAttributes: { 'spiffe.csi.cert-manager.io/fs-group': String(USER) },
          },
        },
      ]
    case 'spire':
      return [{ name: 'postern-identity', csi: { driver: 'csi.spiffe.io', readOnly: true } }]
  }
}

const podFields: readonly Plain<V1EnvVar>[] = (
  [
    ['POD_IP', 'status.podIP'],
    ['POD_NAME', 'metadata.name'],
    ['POD_NAMESPACE', 'metadata.namespace'],
    ['POD_UID', 'metadata.uid'],
    ['SERVICE_ACCOUNT', 'spec.serviceAccountName'],
  ] as const
).map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } }))

const asks = (port: number, path: string): Plain<V1Probe> => ({
  httpGet: { path, port, scheme: 'HTTP' },
  timeoutSeconds: 2,
  successThreshold: 1,
})

/** Kubernetes expands `$(NAME)` in values and reads `$$(` as `$(`; other `$$` would lose a sign, so a profile may not have them. */
const unexpanded = (profile: string, yaml: string): string => {
  if (yaml.includes('$$')) {
    refuse(
      `Profile ${profile} contains "$$", which Kubernetes would shorten to "$"; the platform team must write it otherwise.`,
    )
  }
  return yaml.replaceAll('$(', '$$$$(')
}
