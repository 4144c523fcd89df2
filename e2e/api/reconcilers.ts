import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { eventually } from '../cluster/processes.ts'
import { api, type Api } from '../support/api.ts'
import { ownFolder } from '../support/folders.ts'
import { boundedKube } from '../../proxy/src/controller/kube.ts'
import type { Leader } from '../../proxy/src/controller/leader.ts'
import type { ReconcilerConfig } from '../../proxy/src/controller/reconcile/parts.ts'
import { startReconcilers, type Reconcilers } from '../../proxy/src/controller/reconcile/start.ts'
import type { Trust } from '../../proxy/src/controller/trust.ts'
import { noLog } from '../../proxy/src/core/log.ts'
import { noMeter } from '../../proxy/src/core/metrics.ts'
import { wasmPolicy } from '../../proxy/src/policy/wasm.ts'

const root = resolve(import.meta.dirname, '../..')
const generated = join(root, 'proxy/src/policy/generated')

/** The real OPA; undefined where it is not. */
export const opa: string | undefined = [...(process.env.PATH ?? '').split(':'), join(homedir(), 'go', 'bin')]
  .map((place) => join(place, 'opa'))
  .find((path) => existsSync(path))

export interface Running extends Api {
  readonly reconcilers: Reconcilers
  /** The release namespace. */
  readonly home: string
  /** The ClusterRole that owns everything. */
  readonly owner: string
  /** PEM, as `bundle.pub`. */
  readonly publicKey: () => string
  readonly rotate: (authorities: string) => void
  readonly lead: (leading: boolean) => void
  /** JSON of what `kubectl get` answers; undefined when there is no such thing. */
  readonly get: (...args: readonly string[]) => Promise<Seen | undefined>
  /** Waits until `look` gives something, at most a minute. */
  readonly until: <T>(look: () => Promise<T | undefined | false>) => Promise<T>
  /** Reason and message of the Events about an object. */
  readonly events: (namespace: string, name: string) => Promise<readonly string[]>
  /** What was logged as a warning: event and cause. */
  readonly log: readonly string[]
  readonly close: () => Promise<void>
}

export interface Seen {
  readonly metadata: {
    readonly uid: string
    readonly resourceVersion: string
    readonly annotations?: Record<string, string>
    readonly ownerReferences?: readonly { readonly name: string }[]
  }
  readonly data?: Record<string, string>
  readonly spec?: unknown
}

/** Reconcilers in this process, with a ServiceAccount that may do exactly what the chart's roles allow. */
export const running = async (config: Partial<ReconcilerConfig> = {}): Promise<Running> => {
  const cluster = await api()
  const home = await cluster.namespace('postern')
  const owner = `${home}-controller`
  await cluster.apply(roles(home, owner))
  const token = (await cluster.kubectl(['-n', home, 'create', 'token', 'controller'])).trim()
  const [leader, lead] = switchable()
  const [trust, rotate] = changeable()
  const log: string[] = []
  const reconcilers = await startReconcilers({
    kube: await kubeFor(cluster, token),
    config: { ...standard(home, owner), ...config },
    leader,
    trust,
    tryBundle,
    builtIn: {
      wasm: readFileSync(join(generated, 'policy.wasm')),
      data: JSON.parse(readFileSync(join(generated, 'data.json'), 'utf8')) as Record<string, unknown>,
    },
    log: {
      ...noLog,
      warn: (event, fields) => {
        log.push(`${event} ${fields?.['cause'] instanceof Error ? fields['cause'].message : ''}`)
      },
    },
    meter: noMeter,
  })
  const get: Running['get'] = async (...args) => {
    const text = await cluster.kubectl(['get', '--ignore-not-found', '-o', 'json', ...args])
    return text.trim() === '' ? undefined : (JSON.parse(text) as Seen)
  }
  return {
    ...cluster,
    ...{ reconcilers, home, owner, lead, rotate, get, log },
    publicKey: () => trust.bundleKeys(),
    until: (look) =>
      eventually(async () => {
        const found = await look()
        if (found === undefined || found === false) throw new Error('not yet')
        return found
      }, 60),
    events: async (namespace, name) => {
      const selector = `involvedObject.name=${name}`
      const path = '{range .items[*]}{.reason}: {.message}{"\\n"}{end}'
      const args = ['-n', namespace, 'get', 'events', '--field-selector', selector, '-o', `jsonpath=${path}`]
      return (await cluster.kubectl(args)).split('\n').filter((line) => line !== '')
    },
    close: async () => {
      await reconcilers.close()
      await cluster.kubectl(['delete', 'clusterrole,clusterrolebinding', owner, '--ignore-not-found'])
    },
  }
}

const standard = (namespace: string, owner: string): ReconcilerConfig => ({
  ...{ namespace, owner, guardPort: 8080, adminPort: 8081 },
  policies: { enabled: true, sources: join(root, 'policies'), opa: opa ?? '/nowhere/opa' },
  networkPolicies: { enabled: true, monitoringNamespaces: ['monitoring'], clientNamespaces: [] },
})

/** As the guard does it when it gets a bundle. */
const tryBundle = async (bytes: Uint8Array): Promise<void> => {
  const folder = ownFolder('bundle')
  try {
    const bundle = join(folder, 'bundle.tar.gz')
    writeFileSync(bundle, bytes)
    await (await wasmPolicy({ bundle, meter: noMeter, log: noLog })).close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const kubeFor = async (cluster: Api, token: string): Promise<KubeConfig> => {
  const raw = JSON.parse(await cluster.kubectl(['config', 'view', '--raw', '-o', 'json'])) as {
    clusters: { cluster: { 'certificate-authority-data'?: string; 'certificate-authority'?: string } }[]
  }
  const found = raw.clusters[0]?.cluster
  const caFile = found?.['certificate-authority']
  const caData =
    found?.['certificate-authority-data'] ??
    (caFile === undefined ? undefined : readFileSync(caFile).toString('base64'))
  const kube = new KubeConfig()
  kube.loadFromOptions({
    clusters: [{ name: 'c', server: cluster.url, caData, skipTLSVerify: false }],
    users: [{ name: 'u', token }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  })
  return boundedKube(kube)
}

const switchable = (): readonly [Leader, (leading: boolean) => void] => {
  const listeners = new Set<(leading: boolean) => void>()
  let leads = true
  const leader: Leader = {
    leading: () => leads,
    onChange: (listener) => {
      listeners.add(listener)
      if (leads) listener(true)
      return () => listeners.delete(listener)
    },
  }
  return [
    leader,
    (leading) => {
      leads = leading
      for (const listener of listeners) listener(leading)
    },
  ]
}

const changeable = (): readonly [Trust, (authorities: string) => void] => {
  const listeners = new Set<() => void>()
  const make = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  let keys = make()
  let authorities = 'first CA\n'
  const trust: Trust = {
    authorities: () => authorities,
    bundleKeys: () => keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    bundleSigner: () => ({ keyid: 'postern', algorithm: 'ES256', privateKey: keys.privateKey }),
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return [
    trust,
    (next) => {
      keys = make()
      authorities = next
      for (const listener of listeners) listener()
    },
  ]
}

const roles = (namespace: string, name: string): string => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: controller, namespace: ${namespace} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${name} }
rules:
  - { apiGroups: [''], resources: [namespaces, pods, services], verbs: [list, watch] }
  - { apiGroups: [''], resources: [events], verbs: [create, patch] }
  - { apiGroups: [''], resources: [configmaps], resourceNames: [postern-trust], verbs: [list, watch, create, patch, update, delete] }
  - { apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [list, watch, create, patch, update, delete] }
  - { apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: ['${name}'], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${name} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }
subjects: [{ kind: ServiceAccount, name: controller, namespace: ${namespace} }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: controller, namespace: ${namespace} }
rules:
  - { apiGroups: [''], resources: [configmaps], verbs: [list, watch, patch] }
  - { apiGroups: [''], resources: [configmaps], resourceNames: [postern-bundle], verbs: [create, patch, update] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: controller, namespace: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: controller }
subjects: [{ kind: ServiceAccount, name: controller, namespace: ${namespace} }]
`
