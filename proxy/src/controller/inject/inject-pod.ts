import type { Container, Pod, PodSpec } from './objects.ts'
import type { PodOverlay, Probe } from '../../core/pod.ts'
import { readTuning, STATUS, type Tuning } from './annotations.ts'
import { bindText } from './bind-text.ts'
import { checkHostPorts, checkPod, podWarnings } from './pod-checks.ts'
import { guardContainer, guardVolumes } from './guard-container.ts'
import { drainBeforeStop } from './drain.ts'
import { choosePlan, type Plan } from './plan.ts'
import { rewriteProbes } from './probes.ts'
import { InjectError, refuse } from './refuse.ts'
import { withoutGuard } from './restore.ts'
import { GUARD, label, type InjectContext, type InjectSettings } from './settings.ts'
import { settleContainer, settleVolume } from './settle.ts'
import { checkShape } from './shape.ts'

/** Annotation `postern.dev/status`, as JSON. */
export interface InjectStatus {
  readonly version: string
  readonly image: string
  readonly profile: string
  readonly mode: 'takeover' | 'service'
  /** Where the guard listens. */
  readonly port: number
  readonly model: { readonly container: string; readonly port: number; readonly bind: string }
  /** Sentences for the owner of the pod; the webhook returns them as admission warnings too. */
  readonly warnings: readonly string[]
}

export type PodInjection =
  | { readonly kind: 'injected'; readonly pod: Pod; readonly status: InjectStatus }
  /** A sentence that says what to write instead. The pod must not be admitted. */
  | { readonly kind: 'refused'; readonly message: string }

/**
 * The pod with a guard beside its model. Pure: the pod that is given stays as it is. An injected pod comes out equal, also
 * after the API server filled in its defaults; a guard that somebody wrote by hand comes out as ours.
 */
export const injectPod = (pod: Pod, settings: InjectSettings, context: InjectContext): PodInjection => {
  try {
    checkShape(pod)
    return injected(withoutNulls(pod), settings)
  } catch (error) {
    if (!(error instanceof InjectError)) throw error
    return { kind: 'refused', message: `${title(pod, context)}: ${error.message}` }
  }
}

const injected = (pod: Pod, settings: InjectSettings): PodInjection => {
  const tuning = readTuning(pod.metadata?.annotations ?? {}, settings)
  const found = pod.spec ?? refuse('The pod has no spec.')
  const spec = withoutGuard(found)
  checkPod(spec)
  const plan = choosePlan(spec, tuning, settings)
  checkHostPorts(spec.containers, plan.modelPort, plan.model.name)
  const probed =
    plan.mode === 'takeover'
      ? rewriteProbes(plan.containers, {
          model: plan.model.name,
          port: plan.modelPort,
          adminPort: plan.adminPort,
        })
      : { containers: plan.containers, probes: [], warnings: [] }
  const drained = drainBeforeStop(probed.containers, plan.model.name, tuning.drainSeconds)
  const status: InjectStatus = {
    version: settings.version,
    image: settings.image,
    profile: tuning.profile,
    mode: plan.mode,
    port: plan.port,
    model: { container: plan.model.name, port: plan.modelPort, bind: bindText(plan.binds) },
    warnings: [...podWarnings(spec), ...plan.warnings, ...probed.warnings, ...drained.warnings],
  }
  const overlay = overlayOf(plan, tuning, probed.probes)
  const guard = guardContainer({ settings, tuning, overlay, portNames: plan.portNames })
  return {
    kind: 'injected',
    status,
    pod: {
      ...pod,
      metadata: {
        ...pod.metadata,
        labels: {
          ...pod.metadata?.labels,
          [label.injected]: 'true',
          [label.guardPort]: String(plan.port),
        },
        annotations: { ...pod.metadata?.annotations, [STATUS]: JSON.stringify(status) },
      },
      spec: withGuard({ ...spec, containers: [...drained.containers] }, found, { guard, settings, tuning }),
    },
  }
}

/** `found` is the pod as it came, with the guard that it may have already. */
const withGuard = (
  spec: PodSpec,
  found: PodSpec,
  {
    guard,
    settings,
    tuning,
  }: { readonly guard: Container; readonly settings: InjectSettings; readonly tuning: Tuning },
): PodSpec => {
  const before = found.initContainers?.find(({ name }) => name === GUARD)
  const others = spec.initContainers ?? []
  const after = others.findLastIndex(
    ({ name, restartPolicy }) => settings.after.includes(name) && restartPolicy !== 'Always',
  )
  const volumes = guardVolumes(settings, tuning).map(
    (volume) =>
      settleVolume(
        volume,
        found.volumes?.find(({ name }) => name === volume.name),
      ) as typeof volume,
  )
  const ours = new Map(volumes.map((volume) => [volume.name, volume]))
  const kept = (found.volumes ?? []).flatMap((volume) => {
    if (!volume.name.startsWith(`${GUARD}-`)) return [volume]
    return ours.get(volume.name) ?? []
  })
  return {
    ...spec,
    initContainers: [
      ...others.slice(0, after + 1),
      settleContainer(guard, before) as Container,
      ...others.slice(after + 1),
    ],
    volumes: [...kept, ...volumes.filter(({ name }) => !kept.some((volume) => volume.name === name))],
    terminationGracePeriodSeconds: Math.max(
      spec.terminationGracePeriodSeconds ?? 30,
      tuning.drainSeconds + 10,
    ),
  }
}

const overlayOf = (plan: Plan, tuning: Tuning, probes: readonly Probe[]): PodOverlay => ({
  listen: { address: plan.mode === 'takeover' ? 'pod' : 'any', port: plan.port },
  adminPort: plan.adminPort,
  modelUrl: `${plan.scheme}://127.0.0.1:${plan.modelPort}`,
  models: tuning.models,
  probes,
  drainSeconds: tuning.drainSeconds,
})

/** A null counts as absent in Kubernetes. Only where the injector reads: the rest stays as it was written. */
const withoutNulls = (pod: Pod): Pod => {
  const copy = structuredClone(pod)
  for (const list of [copy.spec?.containers, copy.spec?.initContainers]) {
    for (const container of list ?? []) dropNulls(container)
  }
  return copy
}

const dropNulls = (value: object): void => {
  for (const [key, inner] of Object.entries(value) as [keyof typeof value, unknown][]) {
    if (inner === null) Reflect.deleteProperty(value, key)
    else if (typeof inner === 'object') dropNulls(inner)
  }
}

const title = (pod: Pod, { namespace, workload }: InjectContext): string => {
  const name = pod.metadata?.name ?? pod.metadata?.generateName
  if (workload !== undefined) return `${workload} in namespace ${namespace} gets no guard`
  return `Pod ${name ?? ''} in namespace ${namespace} gets no guard`.replace('  ', ' ')
}
