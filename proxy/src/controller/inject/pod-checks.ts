import type { Container, PodSpec } from './objects.ts'
import { refuse } from './refuse.ts'
import { GUARD } from './settings.ts'

/** Refuses pods that a guard cannot stand in front of, each with what to write. `spec` is without a guard. */
export const checkPod = (spec: PodSpec): void => {
  if (spec.containers.length === 0) refuse('The pod has no containers.')
  if (spec.hostNetwork === true) {
    refuse(
      'The pod has hostNetwork: true, so its model is reachable at the address of the node; remove hostNetwork and reach the model through a Service.',
    )
  }
  if (spec.os?.name === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows') {
    refuse('The pod runs on Windows, and the guard runs on Linux only; remove the label postern.dev/inject.')
  }
  if ((spec.ephemeralContainers ?? []).length > 0) {
    refuse('The pod has ephemeralContainers, which cannot be created with a pod; remove them.')
  }
  for (const container of spec.containers) {
    if (container.name === GUARD) {
      refuse(`A container is named ${GUARD}, which is the name of the guard; give it another name.`)
    }
    if (container.name === 'queue-proxy') {
      refuse(
        "Knative's queue-proxy hands requests to the model inside the pod, behind the guard; deploy without Knative (in KServe: annotation serving.kserve.io/deploymentMode: RawDeployment).",
      )
    }
  }
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) checkMounts(container)
}

/** What the owner should know: things that weaken the guard but are theirs to decide. */
export const podWarnings = (spec: PodSpec): readonly string[] => [
  ...(spec.shareProcessNamespace === true
    ? ['shareProcessNamespace: true lets the other containers see the processes of the guard; remove it.']
    : []),
  ...(spec.hostPID === true ? ['hostPID: true lets the pod see all processes of its node; remove it.'] : []),
]

/** A host port leads to the address of the pod, so only one at the guard itself would be safe. */
export const checkHostPorts = (containers: readonly Container[], modelPort: number, model: string): void => {
  for (const container of containers) {
    for (const port of container.ports ?? []) {
      if (port.hostPort === undefined || port.hostPort === 0) continue
      if (container.name !== model && port.containerPort !== modelPort) continue
      refuse(
        `Container ${container.name} has hostPort ${port.hostPort}, so its model is reachable at the address of the node; remove hostPort and use a Service (type NodePort where a port of the node is needed).`,
      )
    }
  }
}

/** The guard's volumes hold its keys and tokens. Only the audit log may be read, for log shippers. */
const checkMounts = (container: Container): void => {
  for (const mount of container.volumeMounts ?? []) {
    if (!mount.name.startsWith(`${GUARD}-`)) continue
    if (mount.name === `${GUARD}-audit` && mount.readOnly === true) continue
    refuse(
      mount.name === `${GUARD}-audit`
        ? `Container ${container.name} mounts ${mount.name} for writing; write readOnly: true.`
        : `Container ${container.name} mounts the volume ${mount.name}; names that begin with ${GUARD}- belong to the guard, so give the volume another name.`,
    )
  }
}
