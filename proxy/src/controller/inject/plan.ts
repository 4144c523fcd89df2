import type { Container, PodSpec } from './objects.ts'
import { type Tuning } from './annotations.ts'
import { bindToLoopback, planBind } from './bind.ts'
import { commandLine } from './program.ts'
import { GUARD_PORT, moveNames } from './port-names.ts'
import { freePort, modelPort, otherPorts, usedPorts } from './ports.ts'
import { refuse } from './refuse.ts'
import type { Bind } from './servers.ts'
import type { InjectSettings } from './settings.ts'

/** What is to be done with one pod. */
export interface Plan {
  readonly mode: 'takeover' | 'service'
  readonly model: Container
  /** All containers of the pod, the model changed as the mode needs it. */
  readonly containers: readonly Container[]
  readonly modelPort: number
  readonly scheme: 'http' | 'https'
  /** Where the guard listens. */
  readonly port: number
  readonly adminPort: number
  readonly binds: readonly Bind[]
  readonly portNames: readonly string[]
  readonly warnings: readonly string[]
}

const FIRST_UNPRIVILEGED = 1024

export const choosePlan = (spec: PodSpec, tuning: Tuning, settings: InjectSettings): Plan => {
  const model = modelOf(spec, tuning)
  const listening = modelPort(model, tuning.port)
  const used = usedPorts(
    [
      ...spec.containers,
      ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
    ],
    listening.value,
  )
  const base = {
    modelPort: listening.value,
    warnings: [...listening.warnings, ...containerWarnings(spec, model, listening.value)],
    used,
  }
  const mode = chooseMode(model, tuning, listening.value)
  const plan =
    mode.kind === 'takeover'
      ? takeover(spec, model, { ...base, binds: mode.binds })
      : service(spec, model, { ...base, settings })
  const admin = adminPort(tuning, settings, new Set([...used, plan.port]))
  const tls = tlsOf(model)
  return {
    ...plan,
    modelPort: listening.value,
    scheme: tls ? 'https' : 'http',
    adminPort: admin.port,
    warnings: [
      ...base.warnings,
      ...mode.warnings,
      ...plan.warnings,
      ...admin.warnings,
      ...(tls
        ? [
            'The model serves TLS; its certificate must be valid for 127.0.0.1 and known to the profile, or serve plain HTTP on loopback.',
          ]
        : []),
    ],
  }
}

const modelOf = (spec: PodSpec, { container }: Tuning): Container => {
  const model =
    container === undefined ? spec.containers[0] : spec.containers.find(({ name }) => name === container)
  return (
    model ??
    refuse(
      `Annotation postern.dev/container names ${container ?? ''}; write one of ${spec.containers.map(({ name }) => name).join(', ')}.`,
    )
  )
}

type Mode =
  | { readonly kind: 'takeover'; readonly binds: readonly Bind[]; readonly warnings: readonly string[] }
  | { readonly kind: 'service'; readonly warnings: readonly string[] }

const chooseMode = (model: Container, tuning: Tuning, port: number): Mode => {
  if (tuning.mode === 'service') return { kind: 'service', warnings: [] }
  if (tuning.mode === 'takeover' && tuning.bind === 'none') {
    return {
      kind: 'takeover',
      binds: [],
      warnings: [
        `postern.dev/bind is none, so the model must listen on 127.0.0.1:${port} by itself; on all addresses it cannot start.`,
      ],
    }
  }
  const plan = planBind(model, tuning.bind)
  if (plan.kind === 'known' && (port >= FIRST_UNPRIVILEGED || tuning.mode === 'takeover')) {
    const low =
      port >= FIRST_UNPRIVILEGED
        ? []
        : [
            `The guard takes port ${port} without privileges, which older container runtimes refuse; use a port from ${FIRST_UNPRIVILEGED} on.`,
          ]
    return { kind: 'takeover', binds: plan.binds, warnings: low }
  }
  const why =
    plan.kind === 'unknown'
      ? plan.why
      : `port ${port} needs privileges that the guard does not have; use a port from ${FIRST_UNPRIVILEGED} on`
  if (tuning.mode === 'takeover') {
    return refuse(
      `Mode takeover is asked for, but ${why}. Write annotation postern.dev/bind: arg:--host or env:HOST with the name that your server knows, or postern.dev/mode: service.`,
    )
  }
  return {
    kind: 'service',
    warnings:
      tuning.bind === 'none'
        ? []
        : [`The model keeps listening on port ${port} and only NetworkPolicy closes it: ${why}.`],
  }
}

interface Base {
  readonly modelPort: number
  readonly used: ReadonlySet<number>
}

type Half = Pick<Plan, 'mode' | 'model' | 'containers' | 'port' | 'binds' | 'portNames' | 'warnings'>

const takeover = (
  spec: PodSpec,
  model: Container,
  { modelPort: port, binds }: Base & { readonly binds: readonly Bind[] },
): Half => {
  const bound = bindToLoopback(model, { binds, port })
  const declared = (model.ports ?? []).some(({ containerPort }) => containerPort === port)
  return {
    mode: 'takeover',
    model: bound,
    containers: replaced(spec, bound),
    port,
    binds,
    portNames: declared ? [] : [GUARD_PORT],
    warnings: [],
  }
}

const service = (
  spec: PodSpec,
  model: Container,
  { used, settings, modelPort: port }: Base & { readonly settings: InjectSettings },
): Half => {
  if (port === settings.adminPort) {
    refuse(
      `The model listens on port ${port}, which NetworkPolicies open for metrics; give it another port, or let the guard take its place: annotation postern.dev/bind: arg:--host or env:HOST with the name that your server knows.`,
    )
  }
  const guardPort = freePort(settings.guardPort, used)
  const moved = moveNames(spec.containers, model, port)
  return {
    mode: 'service',
    model: moved.model,
    containers: replaced(spec, moved.model),
    port: guardPort,
    binds: [],
    portNames: moved.names.length > 0 ? moved.names : [GUARD_PORT],
    warnings:
      guardPort === settings.guardPort
        ? []
        : [
            `Port ${settings.guardPort} is in use in the pod, so the guard listens on ${guardPort}; Services with a numeric target port need annotation postern.dev/port: "${guardPort}" beside their label, or the name of the port as target.`,
          ],
  }
}

const replaced = (spec: PodSpec, model: Container): readonly Container[] =>
  spec.containers.map((container) => (container.name === model.name ? model : container))

const adminPort = (
  { adminPort: asked }: Tuning,
  settings: InjectSettings,
  used: ReadonlySet<number>,
): { readonly port: number; readonly warnings: readonly string[] } => {
  if (asked !== undefined) {
    if (used.has(asked))
      refuse(`Annotation postern.dev/admin-port is ${asked}, which is in use in the pod; write another port.`)
    return { port: asked, warnings: [] }
  }
  const port = freePort(settings.adminPort, used)
  if (port === settings.adminPort) return { port, warnings: [] }
  return {
    port,
    warnings: [
      `Port ${settings.adminPort} is in use in the pod, so the guard's admin port is ${port}; a NetworkPolicy must let the monitoring reach it.`,
    ],
  }
}

const containerWarnings = (spec: PodSpec, model: Container, port: number): readonly string[] => [
  ...otherPorts(model, port).map(
    (other) =>
      `Port ${other} of container ${model.name} has no guard before it; only NetworkPolicy closes it.`,
  ),
  ...spec.containers
    .filter(({ name, ports }) => name !== model.name && (ports ?? []).length > 0)
    .map(
      ({ name }) =>
        `Container ${name} listens too and can reach the model behind the guard; it must not pass requests on.`,
    ),
]

/** vLLM, TGI and others speak TLS when they get a certificate; probes show it for the rest. */
const tlsOf = (model: Container): boolean =>
  commandLine(model).some((word) => /^--ssl-(?:certfile|keyfile)(?:=|$)/.test(word)) ||
  [model.startupProbe, model.readinessProbe, model.livenessProbe].some(
    (probe) => probe?.httpGet?.scheme === 'HTTPS',
  )
