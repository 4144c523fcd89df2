import { builtInRoutes } from '../core/routes.ts'
import { nearest } from './problems.ts'
import type { Config } from './schema.ts'

export interface Check {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What no single field can tell. Each names the place to correct and what to do there. */
export const checkConfig = (config: Config): readonly Check[] =>
  [
    serverChecks,
    identityChecks,
    workloadChecks,
    routeChecks,
    modelChecks,
    upstreamChecks,
    guardChecks,
    respondChecks,
  ].flatMap((check) => check(config))

const serverChecks = ({ server, admin }: Config): readonly Check[] => {
  const found: Check[] = []
  if (server.listen.port !== 0 && server.listen.port === admin.port)
    found.push({
      path: ['admin', 'port'],
      message: 'is the port of server.listen too; give the admin port its own',
    })
  if (server.limits.headersTimeoutMs > server.limits.requestTimeoutMs)
    found.push({
      path: ['server', 'limits', 'headersTimeout'],
      message: 'must not be longer than requestTimeout; lower it or raise requestTimeout',
    })
  if (server.drain.deadlineMs < server.drain.graceMs)
    found.push({ path: ['server', 'drain', 'deadline'], message: 'must not be shorter than grace; raise it' })
  const { tls } = server
  if (tls !== undefined && tls.clientAuth !== 'off' && tls.clientCaFile === undefined)
    found.push({
      path: ['server', 'tls', 'clientAuth'],
      message: `is ${tls.clientAuth}: add clientCaFile with the CA that signs client certificates`,
    })
  if (tls?.clientAuth === 'off' && tls.clientCaFile !== undefined)
    found.push({
      path: ['server', 'tls', 'clientCaFile'],
      message: 'has no effect while clientAuth is off; set clientAuth to required or optional, or remove it',
    })
  return found
}

const WAYS = ['certificates', 'jwt', 'local', 'serviceAccounts', 'apiKeys', 'anonymous'] as const

const identityChecks = ({ identity, server }: Config): readonly Check[] => {
  const found: Check[] = []
  const path = ['identity']
  const on = WAYS.filter((way) => identity[way] !== undefined)
  if (on.length === 0)
    found.push({ path, message: `no caller could be known; add one of: ${WAYS.join(', ')}` })
  identity.order?.forEach((way, index) => {
    if (identity[way] === undefined)
      found.push({
        path: [...path, 'order', index],
        message: `names ${way}, which is not configured; add identity.${way} or remove it`,
      })
    if (identity.order?.indexOf(way) !== index)
      found.push({ path: [...path, 'order', index], message: 'is there twice; remove one' })
  })
  for (const way of on)
    if (identity.order !== undefined && !identity.order.includes(way))
      found.push({
        path: [...path, 'order'],
        message: `leaves out ${way}, which is configured; add it or remove identity.${way}`,
      })
  if (identity.certificates !== undefined && (server.tls?.clientAuth ?? 'off') === 'off')
    found.push({
      path: [...path, 'certificates'],
      message: 'needs server.tls with clientAuth required or optional',
    })
  if (identity.certificates?.subject === 'spiffe' && identity.certificates.trustDomains === undefined)
    found.push({ path: [...path, 'certificates'], message: 'needs trustDomains for subject spiffe' })
  if (
    identity.local !== undefined &&
    identity.local.usersFile === undefined &&
    identity.local.clientsFile === undefined &&
    identity.local.keyFile === undefined
  )
    found.push({
      path: [...path, 'local'],
      message: 'nobody could get a token; add usersFile, clientsFile, or keyFile for postern token issue',
    })
  found.push(...issuerChecks(identity.jwt?.issuers ?? []))
  return found
}

const workloadChecks = ({ workload }: Config): readonly Check[] => {
  if (workload === undefined) return []
  const needed =
    workload.source === 'controller' ? (['url', 'caFile', 'tokenFile'] as const) : (['socket'] as const)
  return needed
    .filter((key) => workload[key] === undefined)
    .map((key) => ({ path: ['workload', 'source'], message: `is ${workload.source}: add ${key}` }))
}

const issuerChecks = (issuers: NonNullable<Config['identity']['jwt']>['issuers']): readonly Check[] => [
  ...doubles(
    issuers.map(({ name }) => name),
    ['identity', 'jwt', 'issuers'],
    'name',
  ),
  ...doubles(
    issuers.map(({ issuer }) => issuer),
    ['identity', 'jwt', 'issuers'],
    'issuer',
  ),
  ...issuers.flatMap(({ claims, maxStaleS, refreshS, jwksUrl, issuer, allowHttp }, index): Check[] => {
    const path = ['identity', 'jwt', 'issuers', index]
    const found: Check[] = []
    if (claims.tenant === undefined && claims.defaults?.tenant === undefined)
      found.push({
        path: [...path, 'claims'],
        message:
          'no token would have a tenant; set claims.tenant to the claim that names it, or claims.defaults.tenant',
      })
    if (maxStaleS < refreshS)
      found.push({ path: [...path, 'maxStale'], message: 'must not be shorter than refresh; raise it' })
    const source = jwksUrl ?? issuer
    if (jwksUrl === undefined && URL.parse(issuer) === null)
      found.push({
        path: [...path, 'issuer'],
        message: 'is not a URL, so its keys cannot be discovered; add jwksUrl',
      })
    else if (isPlainHttp(source) && allowHttp !== true)
      found.push({
        path: [...path, jwksUrl === undefined ? 'issuer' : 'jwksUrl'],
        message: 'is plain http, where keys can be swapped on the way; use https, or say allowHttp: true',
      })
    return found
  }),
]

const routeChecks = ({ routes, upstreams }: Config): readonly Check[] => {
  const builtIn = new Set(builtInRoutes.map(({ name }) => name))
  const paths = new Set(builtInRoutes.map(({ method, path }) => `${method} ${path}`))
  return [
    ...doubles(
      routes.map(({ name }) => name),
      ['routes'],
      'name',
    ),
    ...routes.flatMap((route, index): Check[] => {
      const here = (key: string, message: string): Check => ({ path: ['routes', index, key], message })
      if (builtIn.has(route.name)) {
        if (!route.inspect)
          return [
            here(
              'inspect',
              'a built-in route is always inspected; give an uninspected route its own name and path',
            ),
          ]
        if (route.path !== undefined || route.upstream !== undefined)
          return [
            here(
              'name',
              'is a built-in route, whose path and upstream are fixed; remove path and upstream, or use a new name',
            ),
          ]
        return []
      }
      if (route.path === undefined) return [here('name', unknown('built-in route', route.name, [...builtIn]))]
      const found: Check[] = []
      if (route.inspect)
        found.push(
          here('name', 'only built-in routes can be inspected; say inspect: false to pass this one unread'),
        )
      if (paths.has(`${route.method} ${route.path}`))
        found.push(here('path', 'belongs to a built-in route; choose another'))
      paths.add(`${route.method} ${route.path}`)
      if (route.upstream === undefined) found.push(here('name', 'needs an upstream'))
      else if (!upstreams.some(({ name }) => name === route.upstream))
        found.push(
          here(
            'upstream',
            unknown(
              'upstream',
              route.upstream,
              upstreams.map(({ name }) => name),
            ),
          ),
        )
      return found
    }),
  ]
}

const modelChecks = (config: Config): readonly Check[] => {
  const { models, upstreams, defaultModel } = config
  const names = upstreams.map(({ name }) => name)
  const models_ = models.map(({ name }) => name)
  const found: Check[] = [...doubles(models_, ['models'], 'name')]
  models.forEach(({ targets, fallback = [] }, index) => {
    for (const [key, list] of [
      ['targets', targets],
      ['fallback', fallback],
    ] as const)
      list.forEach(({ upstream, model, follow }, at) => {
        const path = ['models', index, key, at]
        if (follow !== undefined && config.modelRegistry === undefined)
          found.push({ path: [...path, 'follow'], message: 'needs a registry; add modelRegistry.file' })
        if (follow !== undefined && model !== undefined)
          found.push({
            path: [...path, 'model'],
            message: 'comes from the registry with follow; remove one of the two',
          })
        if (!names.includes(upstream))
          found.push({
            path: [...path, 'upstream'],
            message: unknown('upstream', upstream, names),
          })
      })
    if (targets.every(({ weight }) => weight === 0))
      found.push({
        path: ['models', index, 'targets'],
        message: 'all weights are 0; give one target a weight',
      })
  })
  if (defaultModel !== undefined && !models_.some((name) => covers(name, defaultModel)))
    found.push({ path: ['defaultModel'], message: unknown('model', defaultModel, models_) })
  if (defaultModel === undefined && needsDefault(config) && models_.every((name) => name.includes('*')))
    found.push({
      path: ['models', 0, 'name'],
      message:
        'has a *, so it cannot be the default model of /llm and /chat; set defaultModel, or switch off the routes simple.llm and simple.chat',
    })
  return found
}

/** Requests of these routes need not name a model. */
const needsDefault = ({ routes }: Config): boolean =>
  ['simple.llm', 'simple.chat'].some((name) => !routes.some((route) => route.name === name && !route.enabled))

/** Is `model` meant by a configured name that may hold one `*`? */
const covers = (name: string, model: string): boolean => {
  const [head = '', tail] = name.split('*')
  if (tail === undefined) return name === model
  return model.length >= head.length + tail.length && model.startsWith(head) && model.endsWith(tail)
}

const upstreamChecks = ({ upstreams }: Config): readonly Check[] => [
  ...doubles(
    upstreams.map(({ name }) => name),
    ['upstreams'],
    'name',
  ),
  ...upstreams.flatMap(({ url, tls, timeouts }, index): Check[] => {
    const path = ['upstreams', index]
    const found: Check[] = []
    if (new URL(url).search !== '')
      found.push({ path: [...path, 'url'], message: 'must not have a query; remove it' })
    if (/\/v1\/?$/.test(new URL(url).pathname))
      found.push({ path: [...path, 'url'], message: 'must not end in /v1, which the guard adds; remove it' })
    if (tls !== undefined && url.startsWith('http:'))
      found.push({ path: [...path, 'tls'], message: 'has no effect on an http URL; use https or remove it' })
    found.push(...wholePair(tls, [...path, 'tls']))
    if (tls?.spiffeIds !== undefined && tls.caFile === undefined)
      found.push({
        path: [...path, 'tls', 'spiffeIds'],
        message: 'needs caFile: public authorities do not vouch for SPIFFE IDs',
      })
    if (timeouts.totalMs < timeouts.headersMs)
      found.push({
        path: [...path, 'timeouts'],
        message: 'total must not be shorter than headers; raise total or lower headers',
      })
    return found
  }),
]

const otlpChecks = ({ otlp }: Config['telemetry']): readonly Check[] => {
  if (otlp?.metrics !== true) return []
  const found: Check[] = []
  const at = (key: string, message: string): void =>
    void found.push({ path: ['telemetry', 'otlp', key], message })
  if (otlp.metricsEndpoint === undefined && !new URL(otlp.endpoint).pathname.endsWith('/v1/traces'))
    at(
      'metrics',
      'the metrics URL does not follow from endpoint, which does not end in /v1/traces; add metricsEndpoint',
    )
  if (otlp.metricsIntervalMs < otlp.timeoutMs)
    at('metricsInterval', 'must not be shorter than timeout; raise it')
  return found
}

const guardChecks = ({ policy, limits, telemetry }: Config): readonly Check[] => {
  const found: Check[] = [
    ...wholePair(policy, ['policy']),
    ...wholePair(policy.remote, ['policy', 'remote']),
    ...wholePair(telemetry.otlp?.tls, ['telemetry', 'otlp', 'tls']),
  ]
  found.push(...otlpChecks(telemetry))
  if (telemetry.otlp?.tls !== undefined && telemetry.otlp.endpoint.startsWith('http:'))
    found.push({
      path: ['telemetry', 'otlp', 'tls'],
      message: 'has no effect on an http endpoint; use https or remove it',
    })
  if (policy.engine === 'opa' && policy.url === undefined)
    found.push({ path: ['policy', 'engine'], message: 'is opa: add url, the address of the OPA server' })
  if (policy.engine === 'opa' && (policy.bundle !== undefined || policy.dataFile !== undefined))
    found.push({
      path: ['policy', 'engine'],
      message: 'is opa, whose server has its own bundle and data; remove bundle and dataFile',
    })
  if (policy.engine === 'opa' && policy.remote !== undefined)
    found.push({
      path: ['policy', 'remote'],
      message: 'has no effect on the opa engine, whose server has its own bundle; remove one',
    })
  if (policy.remote !== undefined && policy.bundle !== undefined)
    found.push({ path: ['policy', 'bundle'], message: 'is there beside remote; keep one of them' })
  if (policy.remote !== undefined && policy.remote.maxDelayMs < policy.remote.minDelayMs)
    found.push({
      path: ['policy', 'remote', 'maxDelay'],
      message: 'must not be shorter than minDelay; raise it',
    })
  if (policy.engine === 'wasm' && policy.url !== undefined)
    found.push({
      path: ['policy', 'url'],
      message: 'has no effect on the wasm engine; say engine: opa or remove it',
    })
  if (limits.store === 'redis' && limits.redis === undefined)
    found.push({ path: ['limits', 'store'], message: 'is redis: add limits.redis with its url' })
  if (limits.store === 'memory' && limits.redis !== undefined)
    found.push({
      path: ['limits', 'redis'],
      message: 'has no effect on the memory store; say store: redis or remove it',
    })
  return found
}

/** Of a guard's `respond`, and of the controller's. */
export const respondChecks = ({
  respond,
}: {
  readonly respond?: Pick<
    NonNullable<Config['respond']>,
    'rules' | 'tokenFile' | 'operatorTokenFile' | 'refusals'
  >
}): readonly Check[] => [
  ...(respond?.rules ?? []).flatMap(({ match, respond: kind, overlay }, index): Check[] => {
    const path = ['respond', 'rules', index]
    const found: Check[] = []
    if (Object.keys(match).length === 0)
      found.push({ path: [...path, 'match'], message: 'would match every event; name at least one thing' })
    if (kind === 'tighten' && overlay === undefined)
      found.push({ path: [...path, 'respond'], message: 'is tighten: add overlay' })
    return found
  }),
  ...(respond?.refusals?.respond === 'tighten' && respond.refusals.overlay === undefined
    ? [{ path: ['respond', 'refusals', 'respond'], message: 'is tighten: add overlay' }]
    : []),
  ...(respond?.tokenFile !== undefined && respond.tokenFile === respond.operatorTokenFile
    ? [{ path: ['respond', 'operatorTokenFile'], message: 'is tokenFile too; give operators their own' }]
    : []),
]

const wholePair = (
  pair: { readonly certFile?: string; readonly keyFile?: string } | undefined,
  path: Check['path'],
): readonly Check[] =>
  (pair?.certFile === undefined) === (pair?.keyFile === undefined)
    ? []
    : [{ path, message: 'certFile and keyFile belong together; give both or none' }]

const doubles = (
  names: readonly string[],
  path: readonly (string | number)[],
  key: string,
): readonly Check[] =>
  names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ path: [...path, index, key], message: 'is there twice; each must be unique' }],
  )

const unknown = (what: string, name: string, known: readonly string[]): string => {
  const meant = nearest(name, known)
  return `there is no ${what} ${name}; ${meant === undefined ? `use one of: ${known.join(', ')}` : `did you mean ${meant}?`}`
}

const isPlainHttp = (text: string): boolean => {
  const found = URL.parse(text)
  return found?.protocol === 'http:' && !LOOPBACK.has(found.hostname)
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
