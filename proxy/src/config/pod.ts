import { z } from 'zod'
import type { PodOverlay } from '../core/pod.ts'
import { readJsonText } from '../core/strict-json.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'

const port = () => z.int().min(1).max(65_535)
const text = (max: number) => z.string().min(1).max(max)

const probe = z.strictObject({
  path: z.string().regex(/^\/app-health\/[a-z0-9-]{1,63}\/(?:startup|liveness|readiness)$/),
  action: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('http'),
      scheme: z.enum(['HTTP', 'HTTPS']),
      port: port(),
      path: z.string().startsWith('/').max(2048),
      headers: z.array(z.strictObject({ name: text(256), value: z.string().max(4096) })).max(32),
    }),
    z.strictObject({ kind: z.literal('tcp'), port: port() }),
    z.strictObject({ kind: z.literal('grpc'), port: port(), service: z.string().regex(/^[ -~]{0,127}$/) }),
  ]),
  timeoutSeconds: z.int().min(1).max(3600),
})

const overlay: z.ZodType<PodOverlay> = z.strictObject({
  listen: z.strictObject({ address: z.enum(['any', 'pod']), port: port() }),
  adminPort: port(),
  modelUrl: z.url({ protocol: /^https?$/, hostname: /^(?:127\.0\.0\.1|localhost|\[::1\])$/ }),
  models: z.array(text(128)).max(256),
  probes: z.array(probe).max(64),
  drainSeconds: z.int().min(1).max(3600),
})

const LIMITS = { depth: 8, nodes: 10_000, keys: 5000 }

export interface PodSource {
  /** JSON of a PodOverlay. */
  readonly text: string
  /** For messages, such as env:POSTERN_POD. */
  readonly name: string
  /** The pod's own address; needed when the guard listens on that only. */
  readonly podIp: string | undefined
}

/** Throws ConfigError. */
export const readPod = ({ text: json, name, podIp }: PodSource): PodOverlay => {
  const wrong = (path: string, message: string): ConfigError =>
    new ConfigError(name, [{ path, line: 1, column: 1, message }])
  let value: unknown
  try {
    value = readJsonText(json, LIMITS)
  } catch {
    throw wrong(
      '',
      'is not JSON that every reader takes for the same; the injector writes it, so let it inject this pod again',
    )
  }
  const parsed = overlay.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw wrong(issue?.path.join('.') ?? '', `${issue?.message ?? 'is wrong'}; inject this pod again`)
  }
  if (parsed.data.listen.address === 'pod' && podIp === undefined)
    throw wrong('listen.address', 'is pod: set the environment variable POD_IP from status.podIP')
  return parsed.data
}

/** The profile for one pod. Throws ConfigError when the profile has no upstream named `model`. */
export const forPod = (config: Config, pod: PodOverlay, { name, podIp }: PodSource): Config => {
  if (!config.upstreams.some((upstream) => upstream.name === 'model'))
    throw new ConfigError(name, [
      {
        path: 'modelUrl',
        line: 1,
        column: 1,
        message: 'the profile has no upstream named model; add it there',
      },
    ])
  const { listen, adminPort, modelUrl, models, drainSeconds } = pod
  const deadlineMs = drainSeconds * 1000
  const { graceMs } = config.server.drain
  return {
    ...config,
    server: {
      ...config.server,
      listen: {
        host: listen.address === 'pod' && podIp !== undefined ? podIp : config.server.listen.host,
        port: listen.port,
      },
      drain: { graceMs: Math.min(graceMs, deadlineMs), deadlineMs },
    },
    admin: { ...config.admin, port: adminPort },
    upstreams: config.upstreams.map((upstream) =>
      upstream.name === 'model' ? { ...upstream, url: modelUrl } : upstream,
    ),
    ...(models[0] !== undefined && {
      // A name that the profile routes, such as by the aliases of a registry, keeps that route: the pod says what it serves, not how.
      models: models.map(
        (model) =>
          config.models.find(({ name }) => name === model) ?? {
            name: model,
            targets: [{ upstream: 'model' }],
          },
      ),
      defaultModel: models[0],
    }),
  }
}
