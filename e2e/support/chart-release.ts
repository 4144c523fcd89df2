import { fileURLToPath } from 'node:url'
import type { Api } from './api.ts'

/** One Helm release of a chart of this repository, in a namespace of its own. */
export interface Release {
  readonly install: (values?: Values) => Promise<string>
  /** Keeps nothing of earlier values. */
  readonly upgrade: (values?: Values) => Promise<string>
  readonly rollback: (revision: number) => Promise<string>
  readonly uninstall: () => Promise<string>
  /** `kind.group/name` of everything in the namespace that carries the release's label, and of its cluster-wide objects. */
  readonly objects: () => Promise<readonly string[]>
}

/** Helm's `--set-json`: paths and values. */
export type Values = Readonly<Record<string, unknown>>

const charts = fileURLToPath(new URL('../../charts', import.meta.url))

export const release = (
  cluster: Api,
  chart: string,
  at: { readonly name: string; readonly namespace: string },
): Release => {
  const { name, namespace } = at
  const helm = (...args: readonly string[]): Promise<string> =>
    cluster.helm([...args, '--namespace', namespace])
  const set = (values: Values): readonly string[] =>
    Object.entries(values).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`])
  return {
    install: (values = {}) => helm('install', name, `${charts}/${chart}`, ...set(values)),
    upgrade: (values = {}) => helm('upgrade', name, `${charts}/${chart}`, '--reset-values', ...set(values)),
    rollback: (revision) => helm('rollback', name, String(revision)),
    uninstall: () => helm('uninstall', name, '--cascade', 'foreground', '--wait'),
    objects: async () => {
      const listed = async (namespaced: boolean): Promise<readonly string[]> => {
        const kinds = await cluster.kubectl([
          'api-resources',
          `--namespaced=${namespaced}`,
          '--verbs=list,delete',
          '--output=name',
        ])
        const from = namespaced ? ['--namespace', namespace] : []
        const wanted = kinds.split('\n').filter((kind) => kind !== '' && !kind.startsWith('events'))
        const found = await cluster.kubectl([
          'get',
          wanted.join(','),
          ...from,
          '--selector',
          `app.kubernetes.io/instance=${name}`,
          '--output=name',
          '--ignore-not-found',
        ])
        return found.split('\n').filter((line) => line !== '')
      }
      return [...(await listed(true)), ...(await listed(false))].sort()
    },
  }
}
