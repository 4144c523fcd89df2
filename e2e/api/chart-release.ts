import { fileURLToPath } from 'node:url'
import type { V1Pod } from '@kubernetes/client-node'
import { parse, stringify } from 'yaml'
import { eventually } from '../cluster/processes.ts'
import { api, type Api } from '../support/api.ts'

export const CHART = fileURLToPath(new URL('../../charts/postern', import.meta.url))

/** Not `postern`: what the chart names after its release must not be written anywhere as if it were always that. */
export const RELEASE = 'charttest'

/** The client's types are classes; a manifest is none. */
export type Plain<T> = T extends Date
  ? T
  : T extends readonly (infer U)[]
    ? Plain<U>[]
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T

export type Pod = Plain<V1Pod>

export interface Release extends Api {
  /** Namespace of the release. */
  readonly home: string
  /** Guarded, and under Pod Security restricted. */
  readonly models: string
  /** `helm upgrade --install`; resolves when the admission policies are in force, which takes the API server a moment. */
  readonly install: (values: unknown, how?: readonly string[]) => Promise<void>
  /** Argument of kubectl that makes it act as the controller. */
  readonly asController: string
  /** The pod as the API server would store it, without what it adds to metadata by itself. Nothing is stored. */
  readonly admitted: (pod: Pod) => Promise<Pod>
  readonly end: () => Promise<void>
}

/** Namespaces for a release, which is not installed yet. */
export const release = async (): Promise<Release> => {
  const some = await api()
  const home = await some.namespace('postern')
  const models = await some.namespace('models')
  const labels = ['pod-security.kubernetes.io/enforce=restricted', 'postern.dev/injection=enabled']
  await some.kubectl(['label', 'namespace', models, ...labels])
  const asController = `--as=system:serviceaccount:${home}:${RELEASE}-controller`
  const networkPolicy = (name: string): string =>
    `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: ${models}}, spec: {podSelector: {}}}`
  const refused = (manifest: string, who: readonly string[]): Promise<void> =>
    eventually(async () => {
      const create = some.kubectl(
        ['create', '--dry-run=server', '--validate=ignore', '-f', '-', ...who],
        manifest,
      )
      const said = await create.catch(String)
      if (!said.includes(`ValidatingAdmissionPolicy '${RELEASE}-`)) throw new Error(`not refused: ${said}`)
    }, 30)
  const settings = ['-n', home, '--wait=hookOnly', '-f', '-']
  return {
    ...some,
    home,
    models,
    install: async (values, how = []) => {
      await some.helm(['upgrade', '--install', RELEASE, CHART, ...settings, ...how], stringify(values))
      await Promise.all([
        refused(networkPolicy('postern-guard-1'), []),
        refused(networkPolicy('any'), [asController]),
        refused(JSON.stringify(modelPod(models, (pod) => delete pod.metadata?.labels)), []),
      ])
    },
    asController,
    admitted: async (pod) => {
      const create = ['create', '--dry-run=server', '-o', 'yaml', '-f', '-']
      const made = parse(await some.kubectl(create, JSON.stringify(pod))) as Pod
      const { labels: given = {}, annotations = {} } = made.metadata ?? {}
      return { ...made, metadata: { name: 'model', namespace: models, labels: given, annotations } }
    },
    end: async () => {
      await some.helm(['uninstall', RELEASE, '-n', home, '--ignore-not-found'])
      await some.kubectl(['delete', 'namespace', home, models, '--wait=false'])
    },
  }
}

/** A model that asks for a guard, in the namespace `models`; Pod Security restricted accepts it. */
export const modelPod = (namespace: string, change: (pod: Pod) => unknown = () => undefined): V1Pod => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'model',
      namespace,
      labels: { app: 'model', 'postern.dev/inject': 'true' },
      annotations: {},
    },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'server',
          image: 'example.invalid/server:1',
          ports: [{ name: 'http', containerPort: 8000 }],
          readinessProbe: { httpGet: { path: '/health', port: 'http' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }
  change(pod)
  return pod
}
