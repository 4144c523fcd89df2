import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../../proxy/demo/free-port.ts'
import type { Api } from './api.ts'
import { ownFolder } from './folders.ts'

export interface RunningController {
  readonly port: number
  readonly adminPort: number
  /** Lines of the log, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  /** SIGTERM, and the exit code. */
  readonly stop: () => Promise<number | null>
  /** SIGKILL. */
  readonly kill: () => Promise<unknown>
}

const MAIN = resolve(import.meta.dirname, '../../proxy/src/cli/controller.ts')
const READY_MS = 60_000

/** Parts of the configuration that differ from the usual. */
export type Changes = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The controller as its own process, by the command that the image runs, on loopback with any free port. */
export const startController = async (
  api: Api,
  namespace: string,
  changes: Changes = {},
): Promise<RunningController> => {
  const folder = ownFolder('controller')
  const adminPort = await freePort()
  const file = join(folder, 'controller.yaml')
  mkdirSync(join(folder, 'profiles'))
  writeFileSync(join(folder, 'profiles', 'default.yaml'), PROFILE)
  writeFileSync(file, stringify(configuration(namespace, { folder, adminPort, changes })))
  const run = `const {controllerCommand} = await import(${JSON.stringify(MAIN)}); const io = {out(){}, err: (t) => process.stderr.write(t), env: {}}; process.exitCode = await controllerCommand.run([process.argv[1]], io).catch((e) => { process.stderr.write(e.message); return 3 })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', run, file], {
    env: { ...process.env, KUBECONFIG: api.kubeconfig, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const log: Record<string, unknown>[] = []
  const other: string[] = []
  readLines(child, (line) => {
    try {
      log.push(JSON.parse(line) as Record<string, unknown>)
    } catch {
      other.push(line)
    }
  })
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)))
  void exited.then(() => rmSync(folder, { recursive: true, force: true }))
  const end = Date.now() + READY_MS
  while (!log.some(({ event }) => event === 'serving')) {
    if (child.exitCode !== null || Date.now() > end) {
      child.kill('SIGKILL')
      throw new Error(`the controller did not start: ${other.join('\n')} ${JSON.stringify(log)}`)
    }
    await new Promise((done) => setTimeout(done, 50))
  }
  const serving = log.find(({ event }) => event === 'serving')
  return {
    port: Number(serving?.port),
    adminPort,
    log,
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
    kill: () => {
      child.kill('SIGKILL')
      return exited
    },
  }
}

/** A MutatingWebhookConfiguration that reaches a controller by URL, for the pods of one namespace. Its caBundle is the controller's part. */
export const webhookFor = (name: string, namespace: string, port: number): string =>
  stringify({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'pods.postern.dev',
        clientConfig: { url: `https://127.0.0.1:${port}/inject` },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        objectSelector: { matchLabels: { 'postern.dev/inject': 'true' } },
        failurePolicy: 'Fail',
        reinvocationPolicy: 'IfNeeded',
        sideEffects: 'None',
        timeoutSeconds: 10,
        admissionReviewVersions: ['v1'],
      },
    ],
  })

/** A pod with a model server that binds as vLLM does. */
export const modelPod = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { 'postern.dev/inject': 'true', app: 'model', ...labels } },
    spec: {
      containers: [
        {
          name: 'model',
          image: 'vllm/vllm-openai:v0.11.0',
          args: ['--model', 'tiny'],
          ports: [{ name: 'http', containerPort: 8000 }],
        },
      ],
    },
  })

const PROFILE = stringify({
  upstreams: [{ name: 'model', url: 'http://127.0.0.1:9' }],
  models: [{ name: 'tiny', targets: [{ upstream: 'model' }] }],
  audit: { file: '/var/log/postern/audit.log' },
  identity: { anonymous: { tenant: 'default', roles: ['user'] } },
})

interface Given {
  readonly folder: string
  readonly adminPort: number
  readonly changes: Changes
}

const configuration = (namespace: string, { folder, adminPort, changes }: Given) => ({
  namespace,
  // A ClusterRole that a spec makes when it wants reconcilers: they need an owner for what they make.
  owner: namespace,
  listen: { host: '127.0.0.1', port: 0 },
  admin: { host: '127.0.0.1', port: adminPort },
  injection: {
    version: '0.0.0',
    image: 'postern.local/guard:0',
    profiles: join(folder, 'profiles'),
    ...changes.injection,
  },
  certificates: { webhooks: [], ...changes.certificates },
  policies: {
    sources: resolve(import.meta.dirname, '../../policies'),
    opa: '/nonexistent',
    ...changes.policies,
  },
  ...(changes.respond && { respond: changes.respond }),
  leaderElection: { leaseSeconds: 3, renewSeconds: 2, retrySeconds: 1, ...changes.leaderElection },
})

const readLines = (child: ChildProcess, onLine: (line: string) => void): void => {
  let rest = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
