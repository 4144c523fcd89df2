import type { KubeConfig } from '@kubernetes/client-node'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { adminServer, type AdminOptions } from './admin-server.ts'
import { bundlesRoute } from './api/bundles.ts'
import { guardedPodNames } from './api/guarded-pod.ts'
import { identityRoute } from './api/identity.ts'
import { reviewsRoute } from './api/reviews.ts'
import { tokens } from './api/token.ts'
import type { ControllerConfig } from './config.ts'
import { electLeader, type Election } from './election/election.ts'
import { httpsServer, type HttpsServer, type Route } from './https-server.ts'
import type { InjectSettings } from './inject/settings.ts'
import { kubeApi } from './kube/api.ts'
import { kubeEvents } from './kube/events.ts'
import type { Leader } from './leader.ts'
import { ownerOf } from './owner.ts'
import { keepCaBundle } from './pki/ca-bundle.ts'
import { keepAuthority, type AuthorityKeeper } from './pki/keeper.ts'
import { secretStore } from './pki/secret.ts'
import {
  listenAddresses,
  ownCertificate,
  serviceNames,
  type ServerMaterial,
} from './pki/server-certificate.ts'
import { lateReconcilers } from './late-reconcilers.ts'
import type { Reconcilers } from './reconcile/start.ts'
import type { Trust } from './trust.ts'
import { webhookRoutes } from './webhook/webhook.ts'

/** Certificate and key of the server in files that somebody else keeps, such as cert-manager. */
export interface MountedCertificate {
  current(): ServerMaterial
  /** PEM of the CA that signed it. */
  authorities(): string
  /** Called with each change, which is good by then. */
  onChange(listener: () => void): void
  close(): void
}

export interface ControllerOptions {
  readonly config: ControllerConfig
  /** With bounds in time: `boundedKube`. */
  readonly kube: KubeConfig
  /** Of this process, unlike that of any other. */
  readonly identity: string
  readonly settings: () => InjectSettings
  /** For `certificates.source: files`. */
  readonly mounted: MountedCertificate | undefined
  /** Further paths, such as those of automated responses. */
  readonly routes?: Readonly<Record<string, Route>> | undefined
  readonly reconcile: (given: { readonly leader: Leader; readonly trust: Trust }) => Promise<Reconcilers>
  readonly metrics: AdminOptions['metrics']
  /** How long it still answers after the drain began, in milliseconds: the Service forgets it meanwhile. */
  readonly graceMs: number
  readonly log: Log
  readonly meter: Meter
}

export interface Controller {
  readonly port: number
  readonly adminPort: number
  /** Not ready from now on, answers for the time of grace, then ends what runs. */
  drain(): Promise<void>
  /** After `drain`: gives the lease back and ends the rest. */
  close(): Promise<void>
}

/** What a request that runs when the grace is over may still take. */
const LAST_MS = 10_000
const AUDIENCE = 'postern-controller'
const HOUR_MS = 3_600_000

/** Starts everything. Rejects with an Error that says what to do when the CA, a certificate or a port cannot be had. */
export const startController = async (options: ControllerOptions): Promise<Controller> => {
  const { config, kube, log, meter, mounted } = options
  const owner = ownerOf(kube, config.owner, log)
  const { leaseSeconds, renewSeconds, retrySeconds, lease } = config.leaderElection
  const election = electLeader({
    ...{ kube, namespace: config.namespace, lease, identity: options.identity, owner, log, meter },
    ...{ leaseMs: leaseSeconds * 1000, renewMs: renewSeconds * 1000, retryMs: retrySeconds * 1000 },
  })
  const closers: (() => Promise<unknown>)[] = [() => election.close()]
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).reverse()) await end()
  }
  try {
    const keeper = await authorityOf(options, election, owner)
    closers.push(() => keeper.close())
    const trust = mounted === undefined ? keeper : withMounted(keeper, mounted)
    const late = lateReconcilers({ start: () => options.reconcile({ leader: election, trust }), log })
    closers.push(() => late.close())
    const routes = routesOf(options, keeper, late.bundle)
    const server = await serve(options, { keeper, routes, closers })
    if (mounted === undefined) {
      const configurations = config.certificates.webhooks
      const kept = keepCaBundle({ kube, configurations, trust, leader: election, log })
      closers.push(() => kept.close())
    }
    let draining = false
    const reasons = () => [draining ? 'draining' : undefined, keeper.unready(), late.unready()]
    const ready = () => reasons().filter((reason) => reason !== undefined)
    const admin = await adminServer({ ...config.admin, ready, metrics: options.metrics })
    // The probes are answered to the end.
    closers.unshift(() => admin.close())
    return {
      port: server.address.port,
      adminPort: admin.address.port,
      drain: async () => {
        draining = true
        await new Promise((resolve) => setTimeout(resolve, options.graceMs))
        await server.close(LAST_MS)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const authorityOf = (
  { kube, config, log, meter }: ControllerOptions,
  election: Election,
  owner: ReturnType<typeof ownerOf>,
): Promise<AuthorityKeeper> => {
  const { namespace, certificates } = config
  const { secret: name, trustDomain, caDays, settleSeconds } = certificates
  const events = kubeEvents(kubeApi(kube), log)
  const about = { apiVersion: 'v1', kind: 'Secret', namespace, name, uid: '' }
  const announce = (message: string): void =>
    void events.tell(
      { type: 'Normal', reason: 'CertificateRotated', message, about },
      AbortSignal.timeout(10_000),
    )
  const life = { lifeMs: caDays * 24 * HOUR_MS, settleMs: settleSeconds * 1000, trustDomain }
  const store = secretStore({ kube, namespace, name, owner })
  return keepAuthority({ ...life, store, leader: election, announce, log, meter })
}

/** Guards have to trust the CA of the files, to reach the controller, and the own one, for each other. */
const withMounted = (keeper: AuthorityKeeper, mounted: MountedCertificate): Trust => ({
  authorities: () => `${mounted.authorities().trim()}\n${keeper.authorities()}`,
  bundleKeys: () => keeper.bundleKeys(),
  bundleSigner: () => keeper.bundleSigner(),
  onChange: (listener) => {
    mounted.onChange(listener)
    return keeper.onChange(listener)
  },
})

const routesOf = (
  { config, kube, settings, routes = {}, log, meter }: ControllerOptions,
  keeper: AuthorityKeeper,
  bundle: Reconcilers['bundle'],
): Readonly<Record<string, Route>> => {
  const { identity } = config.injection
  const known = tokens({ kube, audience: AUDIENCE, log })
  return {
    ...routes,
    ...webhookRoutes({ settings, log, meter }),
    'POST /v1/identity': identityRoute({
      elsewhere: identity === 'controller' ? undefined : identity,
      tokens: known,
      podNames: guardedPodNames({ kube, clusterDomain: config.service.clusterDomain, log }),
      authority: keeper,
      trustDomain: config.certificates.trustDomain,
      lifeMs: config.certificates.workloadHours * HOUR_MS,
      ...{ log, meter },
    }),
    'GET /v1/bundles/postern.tar.gz': bundlesRoute({ tokens: known, bundle, meter }),
    'POST /apis/authentication.k8s.io/v1/tokenreviews': reviewsRoute({ kube, tokens: known, log, meter }),
  }
}

interface Serving {
  readonly keeper: AuthorityKeeper
  readonly routes: Readonly<Record<string, Route>>
  readonly closers: (() => Promise<unknown>)[]
}

const serve = async (
  { config, log, meter, mounted }: ControllerOptions,
  { keeper, routes, closers }: Serving,
): Promise<HttpsServer> => {
  const { listen, service, namespace, certificates } = config
  const dns = serviceNames(service.name, namespace, service.clusterDomain)
  if (mounted !== undefined) {
    const server = await httpsServer({ ...listen, material: mounted.current(), routes, log })
    mounted.onChange(() => server.setCertificate(mounted.current()))
    closers.push(() => {
      mounted.close()
      return Promise.resolve()
    })
    closers.push(() => server.close(0))
    return server
  }
  const serving: { server?: HttpsServer } = {}
  const own = await ownCertificate({
    keeper,
    names: { dns, ip: listenAddresses(listen.host) },
    lifeMs: certificates.workloadHours * HOUR_MS,
    apply: (material) => {
      serving.server?.setCertificate(material)
    },
    ...{ log, meter },
  })
  closers.push(() => own.close())
  const server = await httpsServer({ ...listen, material: own.current(), routes, log })
  serving.server = server
  closers.push(() => server.close(0))
  return server
}
