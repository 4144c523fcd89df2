import { KubeConfig } from '@kubernetes/client-node'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { ControllerConfig } from '../controller/config.ts'
import { startController, type Controller } from '../controller/controller.ts'
import type { InjectSettings } from '../controller/inject/settings.ts'
import { boundedKube } from '../controller/kube.ts'
import { startReconcilers, type Reconcilers } from '../controller/reconcile/start.ts'
import type { ReconcilerOptions } from '../controller/reconcile/parts.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { promMeter } from '../telemetry/metrics.ts'
import type { ControllerFile } from './controller-config.ts'
import { controllerResponder, type ControllerResponder } from './controller-respond.ts'
import { mountedCertificate } from './mounted-certificate.ts'
import { followProfiles } from './profiles.ts'
import { tryBundle } from './try-bundle.ts'

export interface ComposeOptions {
  readonly log: Log
  /** From the environment (KUBECONFIG, or the pod's own account) when absent. */
  readonly kube?: KubeConfig
  /** Milliseconds between the begin of the drain and the end of the listener; 5000 when absent. */
  readonly graceMs?: number
}

const MAX_SERIES = 1000

/** The controller with all its parts. Rejects with an Error that says what to do. */
export const composeController = async (
  { respond, ...config }: ControllerFile,
  { log, kube = fromEnvironment(), graceMs = 5000 }: ComposeOptions,
): Promise<Controller> => {
  const meter = promMeter({
    maxSeries: MAX_SERIES,
    processMetrics: true,
    only: ['postern_controller_', 'postern_respond_'],
  })
  const bounded = boundedKube(kube)
  const profiles = followProfiles(config.injection.profiles, log)
  const responder = controllerResponder(respond, { namespace: config.namespace, kube: bounded, log, meter })
  const { source, files } = config.certificates
  try {
    const mounted = source === 'files' ? await mountedCertificate(files, { log, meter }) : undefined
    const controller = await startController({
      config,
      kube: bounded,
      identity: `${hostname()}_${randomUUID()}`,
      settings: () => injectSettings(config, profiles.current()),
      mounted,
      routes: responder?.routes,
      reconcile: async (given) =>
        withResponder(
          await reconcile({ ...given, kube: bounded, config, log, meter }),
          responder,
          given.leader,
        ),
      metrics: async () => ({ contentType: meter.contentType, text: await meter.expose() }),
      graceMs,
      ...{ log, meter },
    })
    const close = async (): Promise<void> => {
      profiles.close()
      await controller.close()
      await responder?.close()
    }
    return { ...controller, close }
  } catch (error) {
    profiles.close()
    await responder?.close()
    throw error
  }
}

const withResponder = (
  reconcilers: Reconcilers,
  responder: ControllerResponder | undefined,
  leader: Given['leader'],
): Reconcilers => {
  const led = responder?.lead(leader)
  return {
    ...reconcilers,
    close: async () => {
      await led?.close()
      await reconcilers.close()
    },
  }
}

const fromEnvironment = (): KubeConfig => {
  const kube = new KubeConfig()
  kube.loadFromDefault()
  return kube
}

const injectSettings = (
  { injection }: ControllerConfig,
  profiles: ReadonlyMap<string, string>,
): InjectSettings => ({ ...injection, profiles, audience: 'postern-controller' })

type Given = Pick<ReconcilerOptions, 'kube' | 'leader' | 'trust'> & {
  readonly config: ControllerConfig
  readonly log: Log
  readonly meter: Meter
}

const reconcile = async ({ config, ...given }: Given): Promise<Reconcilers> => {
  const { namespace, owner, policies, networkPolicies, injection } = config
  const { guardPort, adminPort } = injection
  return startReconcilers({
    ...given,
    config: { namespace, owner, guardPort, adminPort, policies, networkPolicies },
    builtIn: await builtInPolicy(),
    tryBundle: (bytes) => tryBundle(bytes),
  })
}

const builtInPolicy = async (): Promise<ReconcilerOptions['builtIn']> => {
  const file = (name: string): Promise<Buffer> =>
    readFile(new URL(`../policy/generated/${name}`, import.meta.url))
  const [wasm, data] = await Promise.all([file('policy.wasm'), file('data.json')])
  return { wasm, data: JSON.parse(data.toString('utf8')) as Readonly<Record<string, unknown>> }
}
