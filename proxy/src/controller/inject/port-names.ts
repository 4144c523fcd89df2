import type { V1ContainerPort } from '@kubernetes/client-node'
import type { Container, Plain } from './objects.ts'
import { refuse } from './refuse.ts'

/** Name of the guard's port where it takes over no other. */
export const GUARD_PORT = 'postern'
export const ADMIN_PORT = 'postern-admin'
const MOVED = 'postern-model' // 15 characters are allowed, so up to nine names have room for their number

interface Moved {
  readonly model: Container
  /** Names that now lead to the guard. */
  readonly names: readonly string[]
}

/** Takes the names of the model's port away, for the guard to have: Services that use them follow. Probes keep their target. */
export const moveNames = (containers: readonly Container[], model: Container, port: number): Moved => {
  const names = tcp(model)
    .filter(({ containerPort, name }) => containerPort === port && name !== undefined && name !== '')
    .map(({ name }) => name ?? '')
  for (const name of names) {
    const other = containers.find(
      (container) => container.name !== model.name && tcp(container).some((p) => p.name === name),
    )
    if (other) {
      refuse(
        `The containers ${model.name} and ${other.name} both name a port ${name}, and a Service that uses the name must find the guard; give the port of ${other.name} another name.`,
      )
    }
  }
  return { model: renamed(model, new Map(names.map((name, i) => [name, movedName(i)]))), names }
}

/** The model's ports with the names that the guard of an injected pod has now. */
export const restoreNames = (model: Container, guard: Container): Container => {
  const names = (guard.ports ?? []).flatMap(({ name }) =>
    name === undefined || name === ADMIN_PORT || name === GUARD_PORT ? [] : [name],
  )
  return renamed(model, new Map(names.map((name, i) => [movedName(i), name])))
}

const movedName = (index: number): string => (index === 0 ? MOVED : `${MOVED}-${index + 1}`)

const renamed = (container: Container, names: ReadonlyMap<string, string>): Container => {
  if (names.size === 0 || !container.ports) return container
  const now = (port: number | string): number | string => names.get(String(port)) ?? port
  const changed: Container = {
    ...container,
    ports: container.ports.map((port) => {
      const name = isTcp(port) ? names.get(port.name ?? '') : undefined
      return name === undefined ? port : { ...port, name }
    }),
  }
  for (const field of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const probe = changed[field]
    if (probe?.httpGet)
      changed[field] = { ...probe, httpGet: { ...probe.httpGet, port: now(probe.httpGet.port) } }
    else if (probe?.tcpSocket) {
      changed[field] = { ...probe, tcpSocket: { ...probe.tcpSocket, port: now(probe.tcpSocket.port) } }
    }
  }
  const { lifecycle } = changed
  for (const hook of ['postStart', 'preStop'] as const) {
    const target = lifecycle?.[hook]?.httpGet
    if (target) {
      changed.lifecycle = {
        ...changed.lifecycle,
        [hook]: { ...lifecycle[hook], httpGet: { ...target, port: now(target.port) } },
      }
    }
  }
  return changed
}

/** Ports that HTTP can be served at. */
const tcp = ({ ports }: Container): readonly Plain<V1ContainerPort>[] => (ports ?? []).filter(isTcp)

const isTcp = ({ protocol }: Plain<V1ContainerPort>): boolean => protocol === undefined || protocol === 'TCP'
