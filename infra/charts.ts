/** One chart of others, at one version. */
export interface Chart {
  readonly repository: string
  readonly chart: string
  /** Exact. */
  readonly version: string
  /** The namespace it is installed into. */
  readonly namespace: string
}

/**
 * Every third-party chart and its version, compared on 2026-11-22 with the newest tags of its repository that could be seen, which are of
 * August 2026 (falco's of July). platform/verified-keys.json says which values each was seen to know, at these versions. To move one,
 * change it here and run `node infra/platform/verify-keys.ts --write`.
 */
export const charts = {
  'cert-manager': {
    repository: 'https://charts.jetstack.io',
    chart: 'cert-manager',
    version: 'v1.21.1',
    namespace: 'cert-manager',
  },
  // Prometheus, Alertmanager and Grafana with the operator that finds our monitors and rules.
  monitoring: {
    repository: 'https://prometheus-community.github.io/helm-charts',
    chart: 'kube-prometheus-stack',
    version: '88.5.3',
    namespace: 'monitoring',
  },
  // grafana/loki is no longer kept for the open version; this is its successor.
  loki: {
    repository: 'https://grafana-community.github.io/helm-charts',
    chart: 'loki',
    version: '18.11.0',
    namespace: 'logging',
  },
  fluentd: {
    repository: 'https://fluent.github.io/helm-charts',
    chart: 'fluentd',
    version: '0.6.0',
    namespace: 'logging',
  },
  falco: {
    repository: 'https://falcosecurity.github.io/charts',
    chart: 'falco',
    version: '9.1.0',
    namespace: 'falco',
  },
  keda: {
    repository: 'https://kedacore.github.io/charts',
    chart: 'keda',
    version: '2.20.2',
    namespace: 'keda',
  },
  // Google Cloud brings its own.
  gpu: {
    repository: 'https://nvidia.github.io/k8s-device-plugin',
    chart: 'nvidia-device-plugin',
    version: '0.20.0',
    namespace: 'gpu',
  },
  // Writes names of Services and Ingresses into the private zone.
  dns: {
    repository: 'https://kubernetes-sigs.github.io/external-dns',
    chart: 'external-dns',
    version: '1.21.1',
    namespace: 'dns',
  },
  // AWS only: the other clouds scale node pools themselves.
  autoscaler: {
    repository: 'https://kubernetes.github.io/autoscaler',
    chart: 'cluster-autoscaler',
    version: '9.59.0',
    namespace: 'autoscaler',
  },
} as const satisfies Record<string, Chart>

/** Copies audit records from the nodes to the bucket, with the pod's own identity on every cloud. */
export const SHIPPER_IMAGE = 'docker.io/rclone/rclone:1.76.0'

/** Tag of charts/observability/fluentd, which `environment.platform.images` must hold under the name `fluentd`. */
export const FLUENTD_TAG = '1.19.3-0'
