import { fileURLToPath } from 'node:url'

export const chart = fileURLToPath(new URL('../observability', import.meta.url))
export const everything = {
  storage: { kind: 'pvc', storageClass: 'fast', keep: true },
  elasticsearch: { enabled: true },
  tempo: { enabled: true },
  kibana: { enabled: true, clients: [{ namespaceSelector: {} }] },
  grafana: { clients: [{ namespaceSelector: {} }] },
  alertmanager: { configSecret: 'receivers', egress: [{ ports: [{ port: 587 }] }] },
  prometheus: { namespaces: ['models'], clientNamespaces: ['keda'] },
}

export const cases: Readonly<
  Record<string, { readonly values: unknown; readonly elsewhere: readonly string[] }>
> = {
  defaults: { values: {}, elsewhere: [] },
  everything: { values: everything, elsewhere: ['Secret/receivers'] },
  'metrics only': { values: { loki: { enabled: false }, fluentd: { enabled: false } }, elsewhere: [] },
}

/** What restricted would refuse and why it must be so. */
export const exceptions: Readonly<Record<string, readonly string[]>> = {
  // Kubelets write logs for root alone, on the node.
  'observability-fluentd': [
    'fluentd may run as root',
    'volume logs is a hostPath',
    'volume state is a hostPath',
  ],
  // It looks for guards at the API server.
  'observability-prometheus': ['token is mounted'],
  // It writes its keystore beside its configuration.
  'observability-elasticsearch': ['elasticsearch writes its root'],
}
