import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Environment, Values } from '../environment.ts'
import { FLUENTD_TAG } from '../charts.ts'
import { GPU_TAINT } from '../names.ts'
import { archiveOutput, fluentdConfig } from './fluentd.ts'

/** The class of encrypted disks that `PlatformStack` makes. */
export const DISKS = 'encrypted'
/** The role with which Grafana finds dashboards, which `PlatformStack` makes. */
export const DASHBOARDS = 'grafana-dashboards'
/** What kube-prometheus-stack looks for on monitors and rules. */
export const SELECTED = { release: 'monitoring' }
/** Nodes with GPUs are looked at as well. */
const EVERYWHERE = [{ operator: 'Exists' }]

const repository = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const claim = (size: string): Values => ({
  storageClassName: DISKS,
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: size } },
})

/** Prometheus, Alertmanager and Grafana, closed but for `kubectl port-forward`, with our routes for alerts. */
export const monitoring = ({ platform, name, region }: Environment): Values => ({
  alertmanager: {
    config: parse(repository('monitoring/alertmanager.yaml')) as Values,
    alertmanagerSpec: { storage: { volumeClaimTemplate: { spec: claim('5Gi') } } },
  },
  grafana: {
    // The chart's own default is a word everybody knows; without it one is made and kept.
    adminPassword: null,
    persistence: { enabled: true, storageClassName: DISKS, size: '5Gi' },
    'grafana.ini': {
      analytics: { reporting_enabled: false, check_for_updates: false },
      users: { allow_sign_up: false },
    },
    sidecar: {
      dashboards: { enabled: true, searchNamespace: 'ALL', resource: 'configmap' },
      datasources: { defaultDatasourceEnabled: true, resource: 'configmap' },
    },
    // The chart's own role reads every Secret of the cluster.
    rbac: { useExistingClusterRole: DASHBOARDS },
    additionalDataSources: [{ name: 'Loki', uid: 'loki', type: 'loki', access: 'proxy', url: LOKI }],
  },
  prometheus: {
    prometheusSpec: {
      retention: `${platform.retentionDays}d`,
      enableFeatures: ['exemplar-storage'],
      externalLabels: { cluster: name, region },
      resources: { requests: { cpu: '500m', memory: '2Gi' }, limits: { memory: '6Gi' } },
      storageSpec: { volumeClaimTemplate: { spec: claim('100Gi') } },
    },
  },
  // The cloud runs these, and shows them to nobody.
  kubeControllerManager: { enabled: false },
  kubeEtcd: { enabled: false },
  kubeScheduler: { enabled: false },
  kubeProxy: { enabled: false },
  // What it says of Secrets is not worth a right to read them all.
  'kube-state-metrics': { collectorsExclude: ['secrets'] },
  'prometheus-node-exporter': { tolerations: EVERYWHERE },
})

/** Where Loki and Falco send alerts. */
export const ALERTMANAGER = 'http://monitoring-kube-prometheus-alertmanager.monitoring.svc:9093'

/** Where Fluentd writes, and Grafana reads. */
export const LOKI = 'http://loki.logging.svc:3100'

/** Fluentd with the configuration of monitoring/, on every node. It reads the kubelet's log files, which belong to root. */
export const fluentd = ({ platform }: Environment): Values => ({
  kind: 'DaemonSet',
  image: { repository: `${platform.images}/fluentd`, tag: FLUENTD_TAG },
  rbac: { create: false },
  mainConfigMapNameOverride: 'postern-fluentd',
  extraFilesConfigMapNameOverride: 'postern-fluentd-outputs',
  mountDockerContainersDirectory: false,
  dashboards: { enabled: false },
  // The chart looks at its own configuration only, and would let Fluentd run on with the old one.
  podAnnotations: {
    'checksum/postern': createHash('sha256').update(fluentdConfig()).update(archiveOutput).digest('hex'),
  },
  podSecurityContext: { seccompProfile: { type: 'RuntimeDefault' } },
  securityContext: {
    runAsUser: 0,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
  env: [
    { name: 'LOKI_URL', value: LOKI },
    { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    { name: 'TMPDIR', value: '/tmp' },
  ],
  volumes: [{ name: 'tmp', emptyDir: {} }],
  volumeMounts: [
    { name: 'tmp', mountPath: '/tmp' },
    { name: 'etcfluentd-config', mountPath: '/fluentd/etc/outputs' },
  ],
  livenessProbe: { httpGet: { path: '/api/plugins.json', port: 'metrics' } },
  readinessProbe: { httpGet: { path: '/api/plugins.json', port: 'metrics' } },
  resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '512Mi' } },
  tolerations: EVERYWHERE,
})

/** Falco by eBPF, which builds no kernel module; what it finds goes to Alertmanager and Loki. */
export const falco: Values = {
  driver: { kind: 'modern_ebpf', modernEbpf: { leastPrivileged: true } },
  tty: true,
  tolerations: EVERYWHERE,
  falcosidekick: {
    enabled: true,
    replicaCount: 2,
    webui: { enabled: false },
    config: {
      loki: { hostport: LOKI, minimumpriority: 'notice' },
      alertmanager: {
        hostport: ALERTMANAGER,
        endpoint: '/api/v2/alerts',
        minimumpriority: 'warning',
      },
    },
  },
}

/** KEDA with two operators. */
export const keda: Values = {
  operator: { replicaCount: 2 },
  // Deployments and StatefulSets are all it scales here; for other kinds it may read everything, Secrets too.
  rbac: { enabledCustomScaledRefKinds: false },
  permissions: { operator: { restrict: { secret: true } } },
  metricsServer: { replicaCount: 2 },
  podDisruptionBudget: { operator: { minAvailable: 1 }, metricServer: { minAvailable: 1 } },
  prometheus: {
    operator: { enabled: true, serviceMonitor: { enabled: true, additionalLabels: SELECTED } },
  },
}

/** cert-manager with its definitions, which stay when it is removed. */
export const certManager: Values = {
  crds: { enabled: true, keep: true },
  replicaCount: 2,
  podDisruptionBudget: { enabled: true },
  prometheus: { servicemonitor: { enabled: true, labels: SELECTED } },
}

/** The device plugin, on nodes with GPUs only. */
export const gpu: Values = {
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'postern.dev/gpu', operator: 'Exists' }] }],
      },
    },
  },
  tolerations: [{ key: GPU_TAINT.key, operator: 'Exists', effect: 'NoSchedule' }],
}

/** The guard: monitors, rules and dashboards of monitoring/ switched on, and nobody looks past it. */
export const postern = ({ platform }: Environment): Values => ({
  image: {
    repository: `${platform.images}/postern`,
    ...(platform.guardDigest === undefined ? {} : { digest: platform.guardDigest }),
  },
  certificates: { source: 'cert-manager' },
  admission: { debug: 'refuse' },
  networkPolicies: { monitoringNamespaces: ['monitoring', 'keda'] },
  monitoring: {
    podMonitor: { enabled: true, labels: SELECTED },
    serviceMonitor: { enabled: true, labels: SELECTED },
    rules: { enabled: true, labels: SELECTED },
    dashboards: { enabled: true, annotations: { grafana_folder: 'Postern' } },
  },
})

/** A guarded model that needs no GPU, to see that everything works. */
export const demoModel = ({ platform }: Environment): Values => ({
  demo: { enabled: true },
  guard: { mode: 'injected', image: { repository: `${platform.images}/postern` } },
})
