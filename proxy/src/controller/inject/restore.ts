import type { Container, PodSpec } from './objects.ts'
import { z } from 'zod'
import type { Probe } from '../../core/pod.ts'
import { restoreNames } from './port-names.ts'
import { restoreProbes } from './probes.ts'
import { GUARD } from './settings.ts'

const port = z.int().min(1).max(65_535)
const action = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('http'),
    scheme: z.enum(['HTTP', 'HTTPS']),
    port,
    path: z.string(),
    headers: z.array(z.object({ name: z.string(), value: z.string() })),
  }),
  z.object({ kind: z.literal('tcp'), port }),
  z.object({ kind: z.literal('grpc'), port, service: z.string() }),
])
const MAX_PROBES = 512 // three for each container that a pod may have
const overlay = z.object({
  probes: z.array(z.object({ path: z.string(), action, timeoutSeconds: z.number() })).max(MAX_PROBES),
})

/**
 * An injected pod as its owner wrote it: no guard, probes and port names of the model. What a forged guard says is worth no more
 * than the same probe or name written into the pod openly, so it may be believed.
 */
export const withoutGuard = (spec: PodSpec): PodSpec => {
  const guard = spec.initContainers?.find(({ name }) => name === GUARD)
  const probes = guard ? probesOf(guard) : []
  const restored = spec.containers.map((container) => {
    const named = guard ? restoreNames(container, guard) : container
    return restoreProbes(named, probes)
  })
  return {
    ...spec,
    containers: restored,
    ...(spec.initContainers && { initContainers: spec.initContainers.filter(({ name }) => name !== GUARD) }),
  }
}

const probesOf = (guard: Container): readonly Probe[] => {
  const text = guard.env?.find(({ name }) => name === 'POSTERN_POD')?.value
  try {
    return overlay.parse(JSON.parse(text ?? '')).probes
  } catch {
    return []
  }
}
