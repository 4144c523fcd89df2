import { builtInRoutes, shownPath } from '../core/routes.ts'
import type { Config } from './schema.ts'

/** What a configuration means: for `postern check`. Lines that begin with `warning:` are worth a second look. */
export const explainConfig = (config: Config): readonly string[] => [
  ...listeners(config),
  ...routes(config),
  ...callers(config),
  ...models(config),
  ...guard(config),
  ...limits(config),
  ...configWarnings(config).map((text) => `warning: ${text}`),
]

/** What is allowed but seldom meant. */
export const configWarnings = (config: Config): readonly string[] => {
  const { server, admin, identity, upstreams, inspection, audit, routes } = config
  const found: string[] = []
  if (server.tls === undefined && !isLoopback(server.listen.host))
    found.push(
      `server.tls is off and ${server.listen.host} is reachable: prompts and credentials cross the network in clear text`,
    )
  if (!isLoopback(admin.host))
    found.push(`the admin port is reachable at ${admin.host} without authentication`)
  if (identity.anonymous !== undefined)
    found.push(
      `identity.anonymous: everybody is served with the roles ${identity.anonymous.roles.join(', ') || '(none)'}`,
    )
  if (identity.local !== undefined && identity.local.keyFile === undefined)
    found.push('identity.local has no keyFile: tokens end with the process and work on one replica only')
  for (const { name, url, credential } of upstreams)
    if (url.startsWith('http:') && !isLoopback(new URL(url).hostname))
      found.push(
        credential === undefined
          ? `upstream ${name} is plain http on another machine: prompts and answers can be read and changed on the way`
          : `upstream ${name} is plain http on another machine: its credential can be read on the way`,
      )
  for (const { name, inspect } of routes)
    if (!inspect) found.push(`route ${name} passes content without inspection`)
  if (inspection.allowNonText) found.push('inspection.allowNonText: images, audio and files pass uninspected')
  if (inspection.disableRules.length > 0)
    found.push(`rules switched off: ${inspection.disableRules.join(', ')}`)
  if (audit.file === undefined)
    found.push('audit goes to standard output only: it is as safe as whatever collects it')
  return found
}

const listeners = ({ server, admin }: Config): readonly string[] => {
  const tls =
    server.tls === undefined ? 'without TLS' : `with TLS, client certificates ${server.tls.clientAuth}`
  return [
    `listens on ${server.listen.host}:${server.listen.port} ${tls}`,
    `admin on ${admin.host}:${admin.port}`,
    `stops in at most ${server.drain.deadlineMs / 1000} s, taking requests for the first ${server.drain.graceMs / 1000} s`,
  ]
}

const routes = (config: Config): readonly string[] => {
  const off = config.routes.filter(({ enabled }) => !enabled).map(({ name }) => name)
  const on = builtInRoutes.filter(({ name }) => !off.includes(name))
  const passing = config.routes.filter(({ inspect, enabled }) => !inspect && enabled)
  return [
    ...on.map((route) => `route ${route.name}: ${route.method} ${shownPath(route)}`),
    ...passing.map(
      ({ name, method, path = '', upstream = '' }) =>
        `route ${name}: ${method} ${path} to ${upstream}, not inspected`,
    ),
    ...(off.length > 0 ? [`routes off: ${off.join(', ')}`] : []),
  ]
}

const callers = ({ identity }: Config): readonly string[] => {
  const { order, ...ways } = identity
  const known = order ?? Object.keys(ways)
  return [
    `callers are known by: ${known.join(', ')}`,
    ...(identity.jwt?.issuers.map(
      ({ name, issuer, audiences }) => `issuer ${name}: ${issuer} for ${audiences.join(', ')}`,
    ) ?? []),
  ]
}

const models = ({ models: list, upstreams, defaultModel }: Config): readonly string[] => [
  ...upstreams.map(
    ({ name, url, credential }) =>
      `upstream ${name}: ${url}${credential === undefined ? '' : `, credential from ${credential.value.source}`}`,
  ),
  ...list.map(
    ({ name, targets, fallback = [] }) =>
      `model ${name}: ${targets.map(targetText).join(', ')}${fallback.length > 0 ? `, else ${fallback.map(targetText).join(', ')}` : ''}`,
  ),
  `default model: ${defaultModel ?? list[0]?.name ?? ''}`,
]

const targetText = ({
  upstream,
  model,
  weight,
}: {
  upstream: string
  model?: string
  weight?: number
}): string =>
  `${upstream}${model === undefined ? '' : ` as ${model}`}${weight === undefined ? '' : ` (weight ${weight})`}`

const guard = ({ policy, audit, telemetry, limits: { store, redis } }: Config): readonly string[] => [
  policy.engine === 'opa'
    ? `policy: OPA server at ${policy.url ?? ''}`
    : `policy: in process, ${policy.bundle ?? 'built-in bundle'}, ${policy.dataFile ?? 'built-in data'}`,
  store === 'redis' ? `rates: counted in Redis at ${redis?.url ?? ''}` : 'rates: counted in this process',
  `audit: ${[audit.file, audit.stdout || audit.file === undefined ? 'standard output' : undefined].filter((sink) => sink !== undefined).join(' and ')}`,
  telemetry.otlp === undefined ? 'traces: off' : `traces: ${telemetry.otlp.endpoint}`,
]

const limits = ({ server, inspection }: Config): readonly string[] => [
  `server.limits: ${numbersOf(server.limits)}`,
  `inspection: ${numbersOf(inspection)}`,
]

/** By the keys and in the units of the file. */
const numbersOf = (section: object): string =>
  Object.entries(section)
    .flatMap(([key, value]) => (typeof value === 'number' ? [numberText(key, value)] : []))
    .join(', ')

const numberText = (key: string, value: number): string => {
  if (key.endsWith('Ms'))
    return `${key.slice(0, -2)} ${value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`}`
  if (!key.endsWith('Bytes')) return `${key} ${value}`
  const [unit, size] =
    value % 1_048_576 === 0 ? ['MiB', 1_048_576] : value % 1024 === 0 ? ['KiB', 1024] : ['B', 1]
  return `${key.slice(0, -5)} ${value / size}${unit}`
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.')
