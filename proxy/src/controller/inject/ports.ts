import type { Container } from './objects.ts'
import { argValue } from './arguments.ts'
import { commandLine, programOf } from './program.ts'
import { refuse } from './refuse.ts'

/** Names that people give to the port of an HTTP API, the likeliest first. */
const USUAL = ['http', 'http1', 'api', 'web']

interface Chosen<T> {
  readonly value: T
  readonly warnings: readonly string[]
}

/** The port of the model: as annotated, else by the usual names, else its first one, else what its program says. */
export const modelPort = (model: Container, asked: number | undefined): Chosen<number> => {
  if (asked !== undefined) return { value: asked, warnings: [] }
  const ports = tcp(model)
  const named = USUAL.map((name) => ports.find((port) => port.name === name)).find(
    (port) => port !== undefined,
  )
  const declared = (named ?? ports[0])?.containerPort
  const program = portOfProgram(model)
  if (declared === undefined) {
    if (!program) {
      return refuse(
        `Container ${model.name} has no ports, so it is not known where its model listens; write containerPort, or annotation postern.dev/port: "<port>".`,
      )
    }
    const { server } = programOf(model)
    const warnings = program.said
      ? []
      : [
          `Container ${model.name} has no ports; ${program.port} was taken, the default of ${server?.name ?? 'its server'}.`,
        ]
    return { value: program.port, warnings }
  }
  const said = Number(argValue(commandLine(model), programOf(model).server?.portArgs ?? []))
  const differs = said > 0 && said !== declared && !ports.some(({ containerPort }) => containerPort === said)
  return {
    value: declared,
    warnings: differs
      ? [
          `Container ${model.name} is started with port ${said} but has containerPort ${declared}; the guard asks ${declared}.`,
        ]
      : [],
  }
}

/** The wanted port, or the next that no container of the pod uses. */
export const freePort = (wanted: number, used: ReadonlySet<number>): number => {
  let port = wanted
  while (used.has(port)) port = port >= 65_535 ? 1024 : port + 1
  return port
}

export const usedPorts = (containers: readonly Container[], modelPort: number): ReadonlySet<number> =>
  new Set([
    modelPort,
    ...containers.flatMap(({ ports }) => (ports ?? []).map(({ containerPort }) => containerPort)),
  ])

/** Ports of the model container that the guard does not stand before. */
export const otherPorts = (model: Container, guarded: number): readonly number[] => [
  ...new Set(
    (model.ports ?? []).map(({ containerPort }) => containerPort).filter((port) => port !== guarded),
  ),
]

/** The port that the command line, else the server's own default, says. */
const portOfProgram = (model: Container): { readonly port: number; readonly said: boolean } | undefined => {
  const { server, script } = programOf(model)
  if (!server) return undefined
  const said = script === undefined ? Number(argValue(commandLine(model), server.portArgs)) : NaN
  return Number.isInteger(said) && said > 0 && said < 65_536
    ? { port: said, said: true }
    : { port: server.port, said: false }
}

const tcp = ({ ports }: Container): readonly NonNullable<Container['ports']>[number][] =>
  (ports ?? []).filter(({ protocol }) => protocol === undefined || protocol === 'TCP')
