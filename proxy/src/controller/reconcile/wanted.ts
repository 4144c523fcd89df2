import type { OwnerReference } from '../kube/api.ts'
import type { Desired } from '../kube/keep.ts'
import type { GuardedPod, SeenNamespace } from './objects.ts'
import type { ReconcilerConfig } from './parts.ts'

export interface WantedInput {
  readonly config: ReconcilerConfig
  readonly owner: OwnerReference
  readonly namespaces: readonly SeenNamespace[]
  readonly pods: readonly GuardedPod[]
  /** Keys of ConfigMap `postern-trust`. */
  readonly trust: Readonly<Record<string, string>>
}

export const TRUST = 'postern-trust'

/** Distinct ports of guards in one namespace. Labels are anybody's who may make pods. */
const MAX_PORTS = 32

/**
 * What must be in the guarded namespaces and in those with guarded pods: ConfigMap `postern-trust`, and per port of a guard a NetworkPolicy
 * which lets in nothing else. A guarded namespace has the one of the usual port before its first pod comes. The release namespace has
 * `postern-trust` for gateways.
 */
export const wantedObjects = (input: WantedInput): readonly Desired[] => {
  const { config, namespaces, pods } = input
  const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace)
  return namespaces.flatMap(({ name, guarded, leftAlone, ending }) => {
    if (ending) return []
    if (name === config.namespace) return [trustIn(name, input)]
    const own = byNamespace.get(name) ?? []
    if (leftAlone || (!guarded && own.length === 0)) return []
    const ports = config.networkPolicies.enabled
      ? portsOf([...(guarded ? [config.guardPort] : []), ...own.map(({ port }) => port)])
      : []
    return [trustIn(name, input), ...ports.map((port) => networkPolicy(name, port, input))]
  })
}

const portsOf = (ports: readonly (number | undefined)[]): readonly number[] =>
  [...new Set(ports.filter((port) => port !== undefined))].slice(0, MAX_PORTS).sort((a, b) => a - b)

const trustIn = (namespace: string, { trust, owner }: WantedInput): Desired => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  path: `/api/v1/namespaces/${namespace}/configmaps`,
  namespace,
  name: TRUST,
  owner,
  content: { data: trust },
})

const networkPolicy = (
  namespace: string,
  port: number,
  { config: { adminPort, networkPolicies }, owner }: WantedInput,
): Desired => {
  const { clientNamespaces, monitoringNamespaces } = networkPolicies
  const to = (number: number): object => ({ ports: [{ protocol: 'TCP', port: number }] })
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    namespace,
    name: `postern-guard-${port}`,
    owner,
    content: {
      spec: {
        podSelector: { matchLabels: { 'postern.dev/guard-port': String(port) } },
        policyTypes: ['Ingress'],
        ingress: [
          { ...to(port), ...(clientNamespaces.length === 0 ? {} : { from: from(clientNamespaces) }) },
          ...(monitoringNamespaces.length === 0
            ? []
            : [{ ...to(adminPort), from: from(monitoringNamespaces) }]),
        ],
      },
    },
  }
}

/** By the label that the API server itself puts on namespaces. */
const from = (namespaces: readonly string[]): readonly object[] => [
  {
    namespaceSelector: {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'In', values: [...namespaces].sort() },
      ],
    },
  },
]
