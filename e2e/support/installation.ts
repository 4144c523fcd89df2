import { join } from 'node:path'
import { eventually } from '../cluster/processes.ts'
import { api, type Api } from './api.ts'
import { manifest } from './full.ts'

/** The release that the specs of the full tier share, by the names that the documentation uses. */
export const RELEASE = 'postern'

const CHART = join(import.meta.dirname, '../../charts/postern')

export type Values = Readonly<Record<string, unknown>>

const identity = (name: string): string => `/run/postern/identity/${name}`

/** Guards of this profile serve TLS with the certificate that they get from the controller. */
const TLS = {
  certFile: identity('tls.crt'),
  keyFile: identity('tls.key'),
  clientCaFile: identity('ca.crt'),
  clientAuth: 'optional',
}

/** The SPIFFE IDs of the controller's CA: the namespace is the tenant. */
const BY_CERTIFICATE = {
  certificates: {
    trustDomains: ['cluster.local'],
    grants: [{ match: 'ns/{tenant}/sa/*', roles: ['service'] }],
  },
}

/** Three of four calls go to the champion; pods bring the registry as their Secret. */
const RELEASED = {
  modelRegistry: { file: '/etc/postern/secrets/models.json' },
  models: [
    {
      name: 'demo-small',
      targets: [
        { upstream: 'model', follow: { model: 'support', alias: 'champion' }, weight: 3 },
        { upstream: 'model', follow: { model: 'support', alias: 'canary' }, weight: 1 },
      ],
    },
  ],
}

/** What falcosidekick and operators show the controller. */
export const SECRETS = {
  falcosidekick: 'a-secret-of-falcosidekick-0123456789',
  operator: 'a-secret-of-an-operator-0123456789',
} as const

const SHELL = {
  name: 'shell',
  match: { rules: ['Terminal shell in container'], sources: ['syscall'], priority: 'notice' },
  respond: 'quarantine',
}

/** The image made from this repository, and times that a test can wait for. */
const VALUES: Values = {
  image: { repository: 'postern.local/postern', tag: 'e2e', pullPolicy: 'Never' },
  injection: { drainSeconds: 20 },
  // A busy machine brings new trust to pods within this time.
  certificates: { settleSeconds: 120 },
  admission: {
    // Specs look into pods of guarded namespaces.
    debug: 'warn',
    requireVerifiedModels: { enabled: true, namespaceSelector: { matchLabels: { models: 'verified' } } },
  },
  respond: { enabled: true, secret: 'respond', settings: { rules: [SHELL] } },
  guard: {
    profiles: {
      mtls: { server: { tls: TLS } },
      certificates: { server: { tls: { ...TLS, clientAuth: 'required' } }, identity: BY_CERTIFICATE },
      released: RELEASED,
    },
  },
}

/** `helm upgrade --install` into an own namespace; waits until everything of it is ready. */
export const install = async (values: Values = {}): Promise<Api> => {
  const cluster = await api()
  const metadata = { name: 'respond', namespace: RELEASE }
  await cluster.apply(manifest({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: RELEASE } }))
  await cluster.apply(manifest({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: SECRETS }))
  await cluster.helm(
    [
      ...['upgrade', '--install', RELEASE, CHART, '--namespace', RELEASE],
      ...['--wait', '--timeout', '180s', '--values', '-'],
    ],
    JSON.stringify(merge(VALUES, values)),
  )
  await settled(cluster)
  return cluster
}

/** Former controllers answer for some seconds more, and inject what they know: waits until they are gone. */
export const settled = (cluster: Api): Promise<void> =>
  eventually(async () => {
    const path = 'jsonpath={.items[*].metadata.deletionTimestamp}'
    const ending = await cluster.kubectl(['-n', RELEASE, 'get', 'pods', '-o', path])
    if (ending !== '') throw new Error('former controllers do not end')
  }, 60)

/** The release as the specs need it: installed now when it is not. */
export const installed = async (): Promise<Api> => {
  const cluster = await api()
  const there = await cluster.helm(['list', '--namespace', RELEASE, '--deployed', '--short'])
  return there.trim() === RELEASE ? cluster : install()
}

/** A namespace in which every pod must have a guard, once the controller has put there what guards trust. */
export const guardedNamespace = async (cluster: Api, prefix: string): Promise<string> => {
  const namespace = await cluster.namespace(prefix)
  const labels = ['postern.dev/injection=enabled', 'postern.dev/allow-exempt=true']
  await cluster.kubectl(['label', 'namespace', namespace, ...labels])
  await eventually(() => cluster.kubectl(['-n', namespace, 'get', 'configmap', 'postern-trust']), 60)
  return namespace
}

export const uninstall = async (): Promise<void> => {
  const { helm } = await api()
  await helm(['uninstall', RELEASE, '--namespace', RELEASE, '--wait', '--ignore-not-found'])
}

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const merge = (below: Values, above: Values): Values => {
  const both: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const old = both[key]
    both[key] = isObject(old) && isObject(value) ? merge(old, value) : value
  }
  return both
}
