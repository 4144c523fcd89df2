import type { AwsEnvironment, Environment, Values } from '../environment.ts'
import { WORKLOADS } from '../names.ts'
import type { DnsWriter, LokiStore } from './access.ts'
import { ALERTMANAGER, DISKS, SELECTED } from './values.ts'

/** What Pod Security `restricted` asks for, where a chart does not say so itself. */
const RESTRICTED = {
  pod: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
  container: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
} as const

/** The ConfigMap with the file of `DnsWriter`, which `PlatformStack` makes. */
export const DNS_FILE = 'external-dns'

/** One Loki that keeps chunks and index in a bucket, with our alerts over the audit log. More than about 100 GB a day wants its scalable mode. */
export const loki = ({ platform }: Environment, store: LokiStore): Values => ({
  deploymentMode: 'Monolithic',
  serviceAccount: {
    name: WORKLOADS.loki.serviceAccount,
    annotations: store.annotations,
    // It asks the cluster nothing; the cloud's webhooks mount tokens of their own.
    automountServiceAccountToken: false,
  },
  loki: {
    auth_enabled: false,
    commonConfig: { replication_factor: 1 },
    podLabels: store.podLabels,
    storage: {
      type: store.kind,
      bucketNames: { chunks: store.bucket },
      [store.kind]: store.settings,
    },
    schemaConfig: {
      configs: [
        {
          from: '2026-01-01',
          store: 'tsdb',
          object_store: store.kind,
          schema: 'v13',
          index: { prefix: 'index_', period: '24h' },
        },
      ],
    },
    limits_config: { retention_period: `${platform.retentionDays * 24}h`, allow_structured_metadata: true },
    compactor: { retention_enabled: true, delete_request_store: store.kind },
    analytics: { reporting_enabled: false },
    rulerConfig: {
      storage: { type: 'local', local: { directory: '/etc/loki/rules' } },
      rule_path: '/var/loki/rules-temp',
      alertmanager_url: ALERTMANAGER,
      enable_alertmanager_v2: true,
    },
  },
  singleBinary: {
    replicas: 1,
    automountServiceAccountToken: false,
    // What is not in the bucket yet.
    persistence: { storageClass: DISKS, size: '20Gi' },
    resources: { requests: { cpu: '200m', memory: '1Gi' }, limits: { memory: '4Gi' } },
    extraVolumes: [{ name: 'postern-rules', configMap: { name: 'loki-rules' } }],
    // Without tenants Loki calls the only one fake.
    extraVolumeMounts: [{ name: 'postern-rules', mountPath: '/etc/loki/rules/fake' }],
  },
  // It would read every Secret of the cluster, to find rules; ours are mounted.
  sidecar: { rules: { enabled: false } },
  rbac: { namespaced: true },
  // The chart refuses two modes at once, and counts these as the other.
  read: { replicas: 0 },
  write: { replicas: 0 },
  backend: { replicas: 0 },
  gateway: { enabled: false },
  chunksCache: { enabled: false },
  resultsCache: { enabled: false },
  lokiCanary: { enabled: false },
  test: { enabled: false },
  monitoring: { serviceMonitor: { enabled: true, labels: SELECTED } },
})

/** external-dns, for this cluster's zone: what it did not write it does not touch. */
export const dns = ({ name, dnsZone }: Environment, writer: DnsWriter): Values => ({
  serviceAccount: { name: WORKLOADS.dns.serviceAccount, annotations: writer.annotations },
  podLabels: writer.podLabels,
  provider: { name: writer.provider },
  policy: 'sync',
  txtOwnerId: name,
  domainFilters: [dnsZone],
  extraArgs: [...writer.arguments],
  resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
  serviceMonitor: { enabled: true, additionalLabels: SELECTED },
  ...(writer.file === undefined
    ? {}
    : {
        extraVolumes: [{ name: 'azure', configMap: { name: DNS_FILE } }],
        extraVolumeMounts: [{ name: 'azure', mountPath: '/etc/kubernetes', readOnly: true }],
      }),
})

/** The cluster autoscaler, which finds the node groups of this cluster by their tags. */
export const autoscaler = ({ name, region }: AwsEnvironment): Values => ({
  autoDiscovery: { clusterName: name },
  awsRegion: region,
  replicaCount: 2,
  rbac: { serviceAccount: { name: WORKLOADS.autoscaler.serviceAccount } },
  extraArgs: {
    'balance-similar-node-groups': true,
    // Cheapest in what is left unused, so that no GPU node is started for what needs none.
    expander: 'least-waste',
    // Loki and Prometheus have claims; what else has a disk of its node is a cache.
    'skip-nodes-with-local-storage': false,
    'skip-nodes-with-system-pods': false,
    // The shipper is told before an empty node ends, and sends what it still has.
    'daemonset-eviction-for-empty-nodes': true,
  },
  securityContext: RESTRICTED.pod,
  containerSecurityContext: RESTRICTED.container,
  resources: { requests: { cpu: '100m', memory: '300Mi' }, limits: { memory: '600Mi' } },
  serviceMonitor: { enabled: true, selector: SELECTED },
})
