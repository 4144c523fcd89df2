import { eventually } from '../cluster/processes.ts'
import { api, type Api } from './api.ts'

export { type Api } from './api.ts'

/** What a pod of the tools image can do inside the cluster. */
export interface Client {
  readonly namespace: string
  readonly pod: string
  /** Runs a script of e2e/tools in the pod; its stdout. */
  readonly run: (script: string, args?: readonly string[], stdin?: string) => Promise<string>
  /** One question by the OpenAI SDK. */
  readonly chat: (question: Question) => Promise<Answer>
  /** The token of the pod's ServiceAccount for the audience `postern`. */
  readonly token: () => Promise<string>
  /** `open`, or why a TCP connection cannot be made. */
  readonly reach: (host: string, port: number) => Promise<string>
}

export interface Question {
  /** Of the guard, without a path. */
  readonly url: string
  readonly token?: string
  readonly text: string
  readonly stream?: boolean
}

export interface Answer {
  /** 0: there was no answer. */
  readonly status: number
  readonly text?: string
  readonly finish?: string
  readonly code?: string
  readonly error?: string
}

export const RESTRICTED = {
  pod: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
  container: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
} as const

export const TOOLS = 'postern.local/tools:e2e'

/** Objects as kubectl takes them. */
export const manifest = (...objects: readonly object[]): string =>
  objects.map((object) => JSON.stringify(object)).join('\n---\n')

/** A pod from which the specs speak to guards, with a ServiceAccount `caller` of its own. */
export const startClient = async (
  namespace: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<Client> => {
  const cluster = await api()
  const named = (name: string) => ({ name, namespace })
  await cluster.apply(
    manifest(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named('caller') },
      { apiVersion: 'v1', kind: 'Pod', metadata: { ...named('client'), labels }, spec: clientPod },
    ),
  )
  await cluster.kubectl(['-n', namespace, 'wait', '--for=condition=Ready', 'pod/client', '--timeout=90s'])
  return clientOf(cluster, namespace, 'client')
}

const clientPod = {
  serviceAccountName: 'caller',
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 1,
  securityContext: RESTRICTED.pod,
  containers: [
    {
      name: 'client',
      image: TOOLS,
      imagePullPolicy: 'Never',
      args: ['wait.ts'],
      securityContext: RESTRICTED.container,
      volumeMounts: [
        { name: 'token', mountPath: '/var/run/caller' },
        { name: 'trust', mountPath: '/var/run/trust' },
      ],
    },
  ],
  volumes: [
    { name: 'trust', configMap: { name: 'postern-trust', optional: true } },
    {
      name: 'token',
      projected: {
        sources: [{ serviceAccountToken: { audience: 'postern', expirationSeconds: 3600, path: 'token' } }],
      },
    },
  ],
}

const clientOf = ({ kubectl }: Api, namespace: string, pod: string): Client => {
  const exec = (command: readonly string[], stdin?: string): Promise<string> =>
    kubectl(['-n', namespace, 'exec', ...(stdin === undefined ? [] : ['-i']), pod, '--', ...command], stdin)
  const run: Client['run'] = (script, args = [], stdin) => exec(['node', script, ...args], stdin)
  return {
    namespace,
    pod,
    run,
    chat: async (question) => JSON.parse(await run('chat.ts', [], JSON.stringify(question))) as Answer,
    token: () =>
      exec(['node', '-p', 'require("fs").readFileSync("/var/run/caller/token", "utf8")']).then((text) =>
        text.trim(),
      ),
    reach: (host, port) => run('reach.ts', [host, String(port)]).then((word) => word.trim()),
  }
}

export interface Model {
  readonly name: string
  readonly namespace: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly replicas?: number
  /** Milliseconds between the pieces of a stream. */
  readonly paceMs?: number
}

/** A model server that knows nothing of guards, on all addresses at port 8000, and its Service at port 80. */
export const model = ({
  name,
  namespace,
  labels = {},
  annotations = {},
  replicas = 1,
  paceMs = 20,
}: Model): string => {
  const metadata = { name, namespace }
  const app = { app: name }
  return manifest(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas,
        selector: { matchLabels: app },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: { labels: { ...app, ...labels }, annotations },
          spec: {
            securityContext: RESTRICTED.pod,
            containers: [
              {
                name: 'model',
                image: TOOLS,
                imagePullPolicy: 'Never',
                args: ['model.ts'],
                env: [{ name: 'PACE_MS', value: String(paceMs) }],
                ports: [{ name: 'http', containerPort: 8000 }],
                readinessProbe: {
                  httpGet: { path: '/v1/models', port: 'http' },
                  periodSeconds: 1,
                  timeoutSeconds: 5,
                },
                securityContext: RESTRICTED.container,
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: app, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  )
}

/** Waits until a model is up and the client reaches it through its Service, which takes a moment more. */
export const serving = async (
  cluster: Api,
  client: Client,
  { namespace, name }: Pick<Model, 'namespace' | 'name'>,
) => {
  await rolledOut(cluster, namespace, name)
  await eventually(async () => {
    const word = await client.reach(`${name}.${namespace}`, 80)
    if (word !== 'open') throw new Error(`${name} cannot be reached: ${word}`)
  }, 30)
}

/** Waits for a Deployment. */
export const rolledOut = async ({ kubectl }: Api, namespace: string, name: string): Promise<void> => {
  await kubectl(['-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=120s'])
}
