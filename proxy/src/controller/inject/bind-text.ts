import { modelServers, type Bind } from './servers.ts'

/** `arg:--host,env:X` as the annotation writes it; undefined when it is not of that form. */
export const readBinds = (text: string): readonly Bind[] | 'none' | undefined => {
  if (text === 'none') return 'none'
  const binds = text.split(',').map((part): Bind | undefined => {
    const found = /^(?:(arg):(--?[A-Za-z0-9][A-Za-z0-9_.-]{0,62})|(env):([A-Za-z_][A-Za-z0-9_]{0,62}))$/.exec(
      part.trim(),
    )
    if (!found) return undefined
    const kind = found[1] === undefined ? 'env' : 'arg'
    const name = found[2] ?? found[4] ?? ''
    return known(kind, name) ?? { kind, name, address: 'host' }
  })
  return binds.every((bind) => bind !== undefined) ? binds : undefined
}

export const bindText = (binds: readonly Bind[]): string =>
  binds.length === 0 ? 'none' : binds.map(({ kind, name }) => `${kind}:${name}`).join(',')

/** What a known server wants to read in a variable of this name. */
const known = (kind: Bind['kind'], name: string): Bind | undefined =>
  modelServers.flatMap(({ binds }) => binds).find((bind) => bind.kind === kind && bind.name === name)
