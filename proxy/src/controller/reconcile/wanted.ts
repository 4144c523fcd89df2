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
const GUARD_PORT = 'postern.dev/guard-port'

/** Distinct ports of guards in one namespace. Labels are anybody's who may make pods. */
const MAX_PORTS = 32

/**
 * What must be in the guarded namespaces and in those with guarded pods: ConfigMap `postern-trust`, a NetworkPolicy that closes all guarded
 * pods, and per port of a guard one which opens that. So a pod whose port has none yet, because no controller runs or there are too many
 * ports, is closed, not open. A guarded namespace has that of the usual port before its first pod comes. The release namespace has
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
    const closed = config.networkPolicies.enabled ? [closing(name, input)] : []
    return [
      trustIn(name, input),
      ...closed,
      ...ports.map((port) => networkPolicy(name, port, { ...input, pods: own })),
    ]
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

/** Admission lets no pod into a guarded namespace without the label. */
const closing = (namespace: string, { owner }: WantedInput): Desired =>
  policyCalled('postern-guard-closed', {
    namespace,
    owner,
    spec: {
      podSelector: { matchExpressions: [{ key: GUARD_PORT, operator: 'Exists' }] },
      policyTypes: ['Ingress'],
    },
  })

const policyCalled = (
  name: string,
  { namespace, owner, spec }: Pick<Desired, 'namespace' | 'owner'> & { readonly spec: object },
): Desired => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
  ...{ namespace, name, owner },
  content: { spec },
})

const networkPolicy = (namespace: string, port: number, { config, owner, pods }: WantedInput): Desired => {
  const { clientNamespaces, monitoringNamespaces } = config.networkPolicies
  const to = (...numbers: readonly number[]): object => ({
    ports: numbers.map((number) => ({ protocol: 'TCP', port: number })),
  })
  return policyCalled(`postern-guard-${port}`, {
    namespace,
    owner,
    spec: {
      podSelector: {
        matchLabels: { [GUARD_PORT]: String(port) },
        // What one NetworkPolicy opens no other closes: a quarantined pod must not be among those opened.
        matchExpressions: [{ key: 'postern.dev/quarantine', operator: 'DoesNotExist' }],
      },
      policyTypes: ['Ingress'],
      ingress: [
        { ...to(port), ...(clientNamespaces.length === 0 ? {} : { from: from(clientNamespaces) }) },
        ...(monitoringNamespaces.length === 0
          ? []
          : [{ ...to(...adminPorts(port, { config, pods })), from: from(monitoringNamespaces) }]),
      ],
    },
  })
}

/**
 * The usual one, and those that guards of this port have instead. One at which the model of another such pod listens stays closed: what a
 * NetworkPolicy opens it opens for all pods that it selects.
 */
const adminPorts = (
  port: number,
  { config, pods }: Pick<WantedInput, 'config' | 'pods'>,
): readonly number[] => {
  const told = pods.flatMap((pod) => (pod.port === port && pod.told !== undefined ? [pod.told] : []))
  const models = new Set(told.map(({ modelPort }) => modelPort))
  const others = told.map(({ adminPort }) => adminPort).filter((one) => !models.has(one))
  const distinct = [...new Set(others)].filter((one) => one !== config.adminPort).sort((a, b) => a - b)
  return [config.adminPort, ...distinct.slice(0, MAX_PORTS)]
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
