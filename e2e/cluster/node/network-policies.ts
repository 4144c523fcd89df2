import type {
  V1LabelSelector,
  V1NetworkPolicy,
  V1NetworkPolicyIngressRule,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1Pod,
} from '@kubernetes/client-node'

export interface Seen {
  readonly pods: readonly V1Pod[]
  /** Labels by name. */
  readonly namespaces: ReadonlyMap<string, Labels>
  readonly policies: readonly V1NetworkPolicy[]
}

type Labels = Readonly<Record<string, string>>
type Direction = 'Ingress' | 'Egress'

const TABLE = 'postern-policies'

/**
 * NetworkPolicy (networking.k8s.io/v1; IPv4, TCP and UDP) as input for nft that replaces the whole table. What the node opens
 * itself, probes above all, is let in, as Kubernetes says; what pods open to the node is not let out unless a policy says so:
 * elsewhere the API server is not on the pod's node, and a policy that forgets it must fail here too.
 */
export const ruleset = (seen: Seen): string => {
  const addressed = seen.pods
    .filter((pod) => pod.status?.podIP && !pod.spec?.hostNetwork)
    .filter((pod) => !['Succeeded', 'Failed'].includes(pod.status?.phase ?? ''))
    .toSorted((a, b) => addressOf(a).localeCompare(addressOf(b)))
  const world: Seen = { ...seen, pods: addressed }
  const chains: string[] = []
  const dispatch = (direction: Direction, field: 'saddr' | 'daddr'): string => {
    const jumps: string[] = []
    for (const pod of addressed) {
      const allowed = allowedFor(world, pod, direction)
      if (!allowed) continue
      const chain = `${direction.toLowerCase()}_${addressOf(pod).replaceAll('.', '_')}`
      chains.push(
        `chain ${chain} {\n${allowed.map((match) => `${match} return\n`).join('')}reject with icmpx admin-prohibited\n}\n`,
      )
      jumps.push(`${addressOf(pod)} : jump ${chain}`)
    }
    return jumps.length === 0 ? '' : `ip ${field} vmap { ${jumps.join(', ')} }\n`
  }
  const egress = dispatch('Egress', 'saddr')
  const ingress = dispatch('Ingress', 'daddr')
  const hook = (name: string, rules: string): string =>
    `chain ${name} {\ntype filter hook ${name} priority filter\nct state established,related accept\n${rules}}\n`
  return `table inet ${TABLE}\ndelete table inet ${TABLE}\ntable inet ${TABLE} {\n${chains.join('')}${hook('forward', egress + ingress)}${hook('input', egress)}}\n`
}

const addressOf = (pod: V1Pod): string => pod.status?.podIP ?? ''

/** What may pass, as matches of nft; undefined when no policy selects the pod in this direction. */
const allowedFor = (world: Seen, pod: V1Pod, direction: Direction): readonly string[] | undefined => {
  const policies = world.policies.filter(
    ({ metadata, spec }) =>
      metadata?.namespace === pod.metadata?.namespace &&
      spec?.policyTypes?.includes(direction) &&
      selects(spec.podSelector, pod.metadata?.labels),
  )
  if (policies.length === 0) return undefined
  return policies.flatMap(({ metadata, spec }) => {
    const rules =
      direction === 'Ingress'
        ? (spec?.ingress ?? []).map((rule) => ({ peers: sources(rule), ports: rule.ports }))
        : (spec?.egress ?? []).map((rule) => ({ peers: rule.to, ports: rule.ports }))
    const field = direction === 'Ingress' ? 'ip saddr' : 'ip daddr'
    return rules.flatMap(({ peers, ports }) =>
      placesOf(world, metadata?.namespace ?? '', peers).flatMap((place) =>
        portsOf(ports, direction === 'Ingress' ? pod : place.pod).map((port) =>
          [...addresses(field, place), port].join(' '),
        ),
      ),
    )
  })
}

/** The client renames `from` in what it lists, and leaves it as it is in what it watches. */
const sources = (rule: V1NetworkPolicyIngressRule): readonly V1NetworkPolicyPeer[] | undefined =>
  rule._from ?? (rule as { readonly from?: readonly V1NetworkPolicyPeer[] }).from

interface Place {
  /** Of nft, after the address field; absent: anywhere. */
  readonly match?: string
  readonly except?: readonly string[]
  /** Whose named ports are meant. */
  readonly pod?: V1Pod
}

const addresses = (field: string, { match, except = [] }: Place): readonly string[] => [
  ...(match ? [`${field} ${match}`] : []),
  ...(except.length ? [`${field} != { ${except.join(', ')} }`] : []),
]

const placesOf = (
  { pods, namespaces }: Seen,
  home: string,
  peers: readonly V1NetworkPolicyPeer[] | undefined,
): readonly Place[] => {
  const ofPod = (pod: V1Pod): Place => ({ match: addressOf(pod), pod })
  // Anywhere; each pod by itself as well, for the sake of ports that are named.
  if (!peers?.length) return [{}, ...pods.map(ofPod)]
  return peers.flatMap(({ ipBlock, namespaceSelector, podSelector }): readonly Place[] => {
    if (ipBlock) {
      if (ipBlock.cidr.includes(':')) return []
      return [{ match: ipBlock.cidr, except: ipBlock.except ?? [] }]
    }
    return pods
      .filter(({ metadata }) =>
        namespaceSelector
          ? selects(namespaceSelector, namespaces.get(metadata?.namespace ?? ''))
          : metadata?.namespace === home,
      )
      .filter(({ metadata }) => !podSelector || selects(podSelector, metadata?.labels))
      .map(ofPod)
  })
}

const portsOf = (
  ports: readonly V1NetworkPolicyPort[] | undefined,
  owner: V1Pod | undefined,
): readonly string[] => {
  if (!ports?.length) return ['']
  return ports.flatMap(({ port, endPort, protocol = 'TCP' }) => {
    const transport = protocol.toLowerCase()
    if (port === undefined) return [`meta l4proto ${transport}`]
    if (typeof port === 'number' || /^\d+$/.test(port))
      return [`${transport} dport ${port}${endPort === undefined ? '' : `-${endPort}`}`]
    const containers = [...(owner?.spec?.initContainers ?? []), ...(owner?.spec?.containers ?? [])]
    return containers
      .flatMap((container) => container.ports ?? [])
      .filter((named) => named.name === port && (named.protocol ?? 'TCP') === protocol)
      .map((named) => `${transport} dport ${named.containerPort}`)
  })
}

const selects = (selector: V1LabelSelector | undefined, labels: Labels = {}): boolean =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key]
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        return false
    }
  })
