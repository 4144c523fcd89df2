import type { V1Probe } from '@kubernetes/client-node'
import type { Container, Plain } from './objects.ts'
import type { Probe, ProbeAction } from '../../core/pod.ts'
import { refuse } from './refuse.ts'

const KINDS = ['startup', 'liveness', 'readiness'] as const
type Kind = (typeof KINDS)[number]
const FIELD = { startup: 'startupProbe', liveness: 'livenessProbe', readiness: 'readinessProbe' } as const

export interface Rewritten {
  readonly containers: readonly Container[]
  readonly probes: readonly Probe[]
  readonly warnings: readonly string[]
}

/** Probes of the model, and of others at its port, asked for at the guard's admin port: the kubelet cannot reach a loopback. */
export const rewriteProbes = (
  containers: readonly Container[],
  at: { readonly model: string; readonly port: number; readonly adminPort: number },
): Rewritten => {
  const probes: Probe[] = []
  const warnings: string[] = []
  const rewritten = containers.map((container) => {
    let changed = container
    for (const kind of KINDS) {
      const probe = container[FIELD[kind]]
      const found = probe && actionOf(container, probe)
      if (!probe || !found) continue
      if (container.name !== at.model && found.port !== at.port) continue
      const path = pathOf(container.name, kind)
      probes.push({ path, action: found, timeoutSeconds: probe.timeoutSeconds ?? 1 })
      changed = {
        ...changed,
        [FIELD[kind]]: { httpGet: { path, port: at.adminPort, scheme: 'HTTP' }, ...withoutHandler(probe) },
      }
    }
    warnings.push(...hookWarnings(container, at))
    return changed
  })
  return { containers: rewritten, probes, warnings }
}

/** The probes as their owner wrote them, out of what the guard was told about them. */
export const restoreProbes = (container: Container, known: readonly Probe[]): Container => {
  let restored = container
  for (const kind of KINDS) {
    const probe = container[FIELD[kind]]
    const path = pathOf(container.name, kind)
    if (probe?.httpGet?.path?.startsWith('/app-health/') !== true) continue
    const original = known.find((candidate) => candidate.path === path && path === probe.httpGet?.path)
    if (!original) {
      refuse(
        `The ${FIELD[kind]} of container ${container.name} asks for ${JSON.stringify(probe.httpGet.path)}, which is the guard's; write the probe of the model itself.`,
      )
      continue
    }
    restored = { ...restored, [FIELD[kind]]: { ...handler(original.action), ...withoutHandler(probe) } }
  }
  return restored
}

const pathOf = (container: string, kind: Kind): string => `/app-health/${container}/${kind}`

const actionOf = (container: Container, probe: Plain<V1Probe>): ProbeAction | undefined => {
  if (probe.grpc) return { kind: 'grpc', port: probe.grpc.port, service: probe.grpc.service ?? '' }
  const target = probe.httpGet ?? probe.tcpSocket
  if (!target) return undefined
  // A probe with a host goes elsewhere on purpose.
  if (target.host !== undefined && target.host !== '') return undefined
  const port = portNumber(container, target.port)
  if (port === undefined) return undefined
  if (!probe.httpGet) return { kind: 'tcp', port }
  const { path, scheme, httpHeaders } = probe.httpGet
  return {
    kind: 'http',
    scheme: scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
    port,
    path: path ?? '/',
    headers: (httpHeaders ?? []).map(({ name, value }) => ({ name, value })),
  }
}

const withoutHandler = (probe: Plain<V1Probe>): Plain<V1Probe> => {
  const rest = { ...probe }
  delete rest.httpGet
  delete rest.tcpSocket
  delete rest.grpc
  return rest
}

const handler = (action: ProbeAction): Pick<Plain<V1Probe>, 'httpGet' | 'tcpSocket' | 'grpc'> => {
  switch (action.kind) {
    case 'http': {
      const { path, port, scheme, headers } = action
      const httpHeaders = headers.map(({ name, value }) => ({ name, value }))
      return { httpGet: { path, port, scheme, ...(httpHeaders.length > 0 && { httpHeaders }) } }
    }
    case 'tcp':
      return { tcpSocket: { port: action.port } }
    case 'grpc':
      return { grpc: { port: action.port, service: action.service } }
  }
}

const portNumber = (container: Container, port: number | string): number | undefined => {
  const numeric = typeof port === 'number' ? port : /^[0-9]{1,5}$/.test(port) ? Number(port) : undefined
  return numeric ?? container.ports?.find(({ name }) => name === port)?.containerPort
}

/** The kubelet calls hooks itself, at the address of the pod, where the guard is. */
const hookWarnings = (
  container: Container,
  at: { readonly model: string; readonly port: number },
): readonly string[] =>
  (['postStart', 'preStop'] as const).flatMap((hook) => {
    const target = container.lifecycle?.[hook]?.httpGet
    if (!target || portNumber(container, target.port) !== at.port) return []
    return [
      `The ${hook} hook of container ${container.name} calls port ${at.port}, where the guard is now, and will be refused; use an exec hook.`,
    ]
  })
