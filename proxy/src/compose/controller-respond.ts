import type { KubeConfig } from '@kubernetes/client-node'
import { stdoutAudit } from '../audit/stdout.ts'
import { tokens } from '../controller/api/token.ts'
import type { ControllerConfig } from '../controller/config.ts'
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
import { given } from './given.ts'

export interface ControllerResponder {
  readonly routes: Readonly<Record<string, Route>>
  /** Labels and isolates pods while this replica leads; the result ends it. */
  lead(leader: Leader): { close(): Promise<void> }
  close(): Promise<void>
}

interface Parts {
  readonly kube: KubeConfig
  readonly log: Log
  readonly meter: Meter
}

/** Namespaces whose pods are never quarantined: without them there is no cluster, or nobody to end the quarantine. */
const PROTECTED = ['kube-system', 'kube-public', 'kube-node-lease']

const AUDIT = { checkpointLines: 1000, checkpointMs: 60_000, maxQueue: 4096, stallMs: 5000 }

/** Automated responses at the controller; undefined where they are not configured. Its audit log goes to standard output. */
export const controllerResponder = (
  config: ControllerConfig,
  { kube, log, meter }: Parts,
): ControllerResponder | undefined => {
  const { respond, namespace } = config
  if (respond === undefined) return undefined
  const api = kubeApi(kube)
  const store = orderMap({ api, namespace, name: respond.configMap, log })
  const audit = stdoutAudit({ stream: process.stdout, signingKey: undefined, ...AUDIT }, { meter, log })
  let trigger = (): void => undefined
  const force = standing({ stores: [store], audit, onChange: () => trigger(), meter, log })
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
      loop.trigger()
      return loop
    },
    close: async () => {
      force.close()
      await store.close()
      await audit.close()
    },
  }
}

interface DeskParts {
  readonly respond: NonNullable<ControllerConfig['respond']>
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
    rules: respond.rules.map(({ forSeconds, match, ...rule }) => ({
      ...given(rule),
      match: given(match),
      forMs: forSeconds * 1000,
    })),
    bounds: {
      active: { revoke: limits.revocations, tighten: limits.overlays, quarantine: limits.quarantines },
      perMinute: limits.perMinute,
      longestMs: limits.longestSeconds * 1000,
      callers: respond.protectedCallers,
      namespaces: [...PROTECTED, namespace, ...respond.protectedNamespaces],
    },
    ...given({ tokenFile, operatorTokenFile }),
    maxAgeMs: respond.maxAgeSeconds * 1000,
    targetOf: async (aim: Aim): Promise<Target | undefined> => {
      if (aim.kind !== 'quarantine') return aim
      const pod = await guardedPod(api, aim)
      return pod && { kind: 'quarantine', pod }
    },
    meter,
    log,
  })
}
