import type { KubeConfig } from '@kubernetes/client-node'
import type { Writable } from 'node:stream'
import { stdoutAudit } from '../audit/stdout.ts'
import { tokens } from '../controller/api/token.ts'
import type { Route } from '../controller/https-server.ts'
import { kubeApi } from '../controller/kube/api.ts'
import type { Leader } from '../controller/leader.ts'
import { activeRoute } from '../controller/respond/active.ts'
import { orderMap } from '../controller/respond/order-map.ts'
import { guardedPod, keepQuarantine } from '../controller/respond/quarantine.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Target } from '../core/orders.ts'
import { desk, MAX_DESK_BODY } from '../respond/desk.ts'
import type { Aim } from '../respond/rules.ts'
import { standing } from '../respond/standing.ts'
import type { ControllerFile } from './controller-config.ts'
import { teller } from './event-sink.ts'
import { readOptional } from './files.ts'
import { given } from './given.ts'

export interface ControllerResponder {
  readonly routes: Readonly<Record<string, Route>>
  /** Labels and isolates pods while this replica leads; the result ends it. */
  lead(leader: Leader): { close(): Promise<void> }
  close(): Promise<void>
}

type Respond = NonNullable<ControllerFile['respond']>

interface Parts {
  /** Of the release. */
  readonly namespace: string
  /** Where audit lines go; standard output when absent. */
  readonly stdout?: Writable
  readonly kube: KubeConfig
  readonly log: Log
  readonly meter: Meter
}

/** Namespaces whose pods are never quarantined: without them there is no cluster, or nobody to end the quarantine. */
const PROTECTED = ['kube-system', 'kube-public', 'kube-node-lease']

const AUDIT = { checkpointLines: 1000, checkpointMs: 60_000, maxQueue: 4096, stallMs: 5000 }

/**
 * Automated responses at the controller; undefined where they are not configured. Every replica writes its audit lines to standard
 * output; only the one that leads sends events. Throws Error that says what to do when the signing key is none.
 */
export const controllerResponder = (
  respond: Respond | undefined,
  { namespace, kube, log, meter, stdout = process.stdout }: Parts,
): ControllerResponder | undefined => {
  if (respond === undefined) return undefined
  const signingKey = readOptional(respond.signingKeyFile)
  const audit = stdoutAudit({ stream: stdout, signingKey, ...AUDIT }, { meter, log })
  const api = kubeApi(kube)
  const store = orderMap({ api, namespace, name: respond.configMap, log })
  const sink = respond.events && teller({ ...respond.events, namespace }, { meter, log })
  let trigger = (): void => undefined
  let leads = (): boolean => false
  const force = standing({
    ...{ stores: [store], audit, meter, log },
    writtenBefore: Date.now(),
    onStep: (order, step) => {
      if (leads()) sink?.order(order, step)
    },
    onChange: () => trigger(),
  })
  const reception = deskOf({ respond, namespace, api, store }, { log, meter })
  const known = tokens({ kube, audience: 'postern-controller', log })
  return {
    routes: {
      ...Object.fromEntries(
        Object.entries(reception.routes).map(([name, handle]): [string, Route] => [
          name,
          {
            maxBody: name.startsWith('GET ') ? 0 : MAX_DESK_BODY,
            handle: ({ headers, body }) => handle({ authorization: headers.authorization, body }),
          },
        ]),
      ),
      'GET /v1/respond/active': activeRoute({ tokens: known, store }),
    },
    lead: (leader) => {
      const synced = (): boolean => store.unready() === undefined
      const loop = keepQuarantine({ api, leader, orders: () => force.list(), synced, log, meter })
      trigger = () => loop.trigger()
      leads = () => leader.leading()
      loop.trigger()
      return loop
    },
    close: async () => {
      force.close()
      await store.close()
      await audit.close()
      await sink?.close()
    },
  }
}

interface DeskParts {
  readonly respond: Respond
  readonly namespace: string
  readonly api: ReturnType<typeof kubeApi>
  readonly store: ReturnType<typeof orderMap>
}

const deskOf = (
  { respond, namespace, api, store }: DeskParts,
  { log, meter }: Pick<Parts, 'log' | 'meter'>,
): ReturnType<typeof desk> => {
  const { limits, tokenFile, operatorTokenFile } = respond
  return desk({
    store,
    rules: respond.rules,
    bounds: {
      active: { revoke: limits.revocations, tighten: limits.overlays, quarantine: limits.quarantines },
      perMinute: limits.perMinute,
      longestMs: limits.longestMs,
      callers: respond.protected,
      namespaces: [...PROTECTED, namespace, ...respond.protectedNamespaces],
    },
    ...given({ tokenFile, operatorTokenFile }),
    maxAgeMs: respond.maxAgeMs,
    targetOf: async (aim: Aim): Promise<Target | undefined> => {
      if (aim.kind !== 'quarantine') return aim
      const pod = await guardedPod(api, aim)
      return pod && { kind: 'quarantine', pod }
    },
    meter,
    log,
  })
}
