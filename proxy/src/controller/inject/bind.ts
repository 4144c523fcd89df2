import type { Container } from './objects.ts'
import { hasArg, withArg } from './arguments.ts'
import { commandLine, programOf } from './program.ts'
import type { Bind } from './servers.ts'

/** How the model is made to listen on loopback, or why that is not known. */
export type BindPlan =
  | { readonly kind: 'known'; readonly binds: readonly Bind[] }
  | { readonly kind: 'unknown'; readonly why: string }

const LOOPBACK = '127.0.0.1'

/** `asked` is the annotation `postern.dev/bind`: `arg:--flag`, `env:NAME`, several with commas, or `none`; undefined when absent. */
export const planBind = (model: Container, asked: readonly Bind[] | 'none' | undefined): BindPlan => {
  if (asked === 'none') return unknown(`postern.dev/bind is none`)
  const { server, script, argsReachServer } = programOf(model)
  const words = commandLine(model)
  if (asked !== undefined) {
    const argument = asked.find(({ kind }) => kind === 'arg')
    if (!argument || argsReachServer) return { kind: 'known', binds: asked }
    return unknown(
      script === undefined
        ? `${argument.name} cannot be added: the manifest has no command and no args, and args would take the place of the image's own; write the args of the image into the manifest`
        : `${argument.name} cannot be added to a shell script; write command and args as a list, without a shell`,
    )
  }
  if (!server) return unknown('it is not known how this server is told to listen on loopback')
  if (server.binds.length === 0)
    return unknown(server.why ?? `${server.name} cannot be told to listen on loopback`)
  const environment = server.binds.filter(({ kind }) => kind === 'env')
  if (script !== undefined) {
    const written = server.binds.find(({ name }) => script.includes(name))
    if (environment.length > 0 && !written) return { kind: 'known', binds: environment }
    return unknown(
      written
        ? `the shell script of the container sets ${written.name} itself`
        : `${server.name} is started by a shell script, which cannot be changed safely`,
    )
  }
  const needed = server.binds.filter(
    (bind) => bind.kind === 'env' || environment.length === 0 || hasArg(words, bind),
  )
  return { kind: 'known', binds: needed }
}

/** The container with its server on 127.0.0.1. */
export const bindToLoopback = (
  model: Container,
  { binds, port }: { readonly binds: readonly Bind[]; readonly port: number },
): Container =>
  binds.reduce((container, bind) => {
    const value = bind.address === 'host' ? LOOPBACK : `${LOOPBACK}:${port}`
    return bind.kind === 'arg' ? withArg(container, bind, value) : withEnv(container, bind.name, value)
  }, model)

/** Of several entries with one name the last counts, so all are set. A value from elsewhere gives way. */
const withEnv = (container: Container, name: string, value: string): Container => {
  const env = container.env ?? []
  if (!env.some((entry) => entry.name === name)) return { ...container, env: [...env, { name, value }] }
  return { ...container, env: env.map((entry) => (entry.name === name ? { name, value } : entry)) }
}

const unknown = (why: string): BindPlan => ({ kind: 'unknown', why })
