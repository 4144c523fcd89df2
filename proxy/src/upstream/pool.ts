import type { Pool } from 'undici'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { Refusal } from '../core/refusal.ts'
import type { ModelReply, ModelRequest, Models } from '../core/upstream.ts'
import { callUpstream } from './attempt.ts'
import { breaker, type Breaker, type BreakerOptions, type Permit } from './breaker.ts'
import { openPool } from './connection.ts'
import { AttemptFailed, noConnection, type Result } from './failures.ts'
import { isPath, ownHeaders, requestHeaders, type OwnHeaders } from './headers.ts'
import type { ModelPoolOptions, RetryOptions, UpstreamOptions } from './options.ts'
import { routes, type Routes, type Target } from './routes.ts'

export interface ModelPoolParts {
  readonly meter: Meter
  readonly log: Log
}

/**
 * Every model server the guard may call. Throws an Error that says what to correct.
 * `close` lets running calls finish and takes no new ones: to change a certificate, open another pool and close this one.
 */
export const modelPool = (options: ModelPoolOptions, parts: ModelPoolParts): Models => {
  if (options.upstreams.length === 0) throw new Error('upstreams: name one model server at least')
  const upstreams = new Map<string, Upstream>()
  for (const each of options.upstreams) {
    if (upstreams.has(each.name)) throw new Error(`upstream ${each.name}: name it once`)
    upstreams.set(each.name, openUpstream(each, options.breaker, parts))
  }
  const models: ModelPool = {
    upstreams: [...upstreams.values()],
    routes: routes(options.models, upstreams),
    retry: { attempts: 3, budget: 0.2, statuses: [], ...options.retry },
    retriesLeft: RETRY_BURST,
    closed: false,
    ...parts,
  }
  return {
    names: models.routes.names,
    listed: (model) => models.routes.listed(model),
    call: (request, signal) => call(models, request, signal),
    unready: () =>
      models.upstreams.every((each) => each.breaker.blockedMs() > 0)
        ? 'every model server is failing'
        : undefined,
    close: async () => {
      models.closed = true
      await Promise.all(models.upstreams.filter((it) => !it.pool.closed).map((it) => it.pool.close()))
    },
  }
}

interface ModelPool extends ModelPoolParts {
  readonly upstreams: readonly Upstream[]
  readonly routes: Routes<Upstream>
  readonly retry: RetryOptions
  retriesLeft: number
  closed: boolean
}

interface Upstream {
  readonly options: UpstreamOptions
  readonly pool: Pool
  readonly breaker: Breaker
  readonly headers: OwnHeaders
  /** Path of the base URL, without a slash at its end. */
  readonly base: string
  readonly maxCalls: number
  /** Calls that undici holds, waiting ones included. */
  calls: number
}

const RETRY_BURST = 10

const BREAKER: BreakerOptions = {
  failures: 5,
  failureRate: 0.5,
  minimumCalls: 20,
  windowMs: 10_000,
  openMs: 1000,
  maxOpenMs: 30_000,
}

const openUpstream = (
  options: UpstreamOptions,
  changes: Partial<BreakerOptions> | undefined,
  { meter, log }: ModelPoolParts,
): Upstream => {
  const { name, pool } = options
  checkUpstream(options)
  const onChange = (healthy: boolean): void => {
    meter.set('postern_upstream_healthy', healthy ? 1 : 0, name)
    if (healthy) log.info('upstream_circuit_closed', { upstream: name })
    else log.warn('upstream_circuit_opened', { upstream: name })
  }
  meter.set('postern_upstream_healthy', 1, name)
  const { pathname } = new URL(options.url)
  return {
    options,
    pool: openPool(options),
    breaker: breaker({ ...BREAKER, ...changes }, { now: () => performance.now(), onChange }),
    headers: ownHeaders(options.credential),
    base: pathname.endsWith('/') ? pathname.slice(0, -1) : pathname,
    maxCalls: pool.connections + (pool.maxWaiting ?? pool.connections),
    calls: 0,
  }
}

const checkUpstream = ({ name, url, tls }: UpstreamOptions): void => {
  const { protocol, search, hash, username, password } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`upstream ${name}: use http: or https:`)
  if (`${search}${hash}${username}${password}` !== '')
    throw new Error(`upstream ${name}: the address has no user, query or fragment; use credential`)
  if (tls === undefined) return
  if (protocol !== 'https:') throw new Error(`upstream ${name}: tls needs an https: address`)
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new Error(`upstream ${name}: give tls.cert and tls.key together`)
  if (tls.spiffeIds !== undefined && tls.ca === undefined)
    throw new Error(`upstream ${name}: tls.spiffeIds needs tls.ca, the bundle of the trust domain`)
}

/** Tries the targets in order until one answers; another one only when the last surely did nothing. */
const call = async (models: ModelPool, request: ModelRequest, signal: AbortSignal): Promise<ModelReply> => {
  const targets = models.routes.order(request.model, isUsable)
  if (targets === undefined) throw new Refusal('model_unknown')
  if (models.closed) throw new Refusal('model_unavailable', { cause: new Error('closed') })
  models.retriesLeft = Math.min(RETRY_BURST, models.retriesLeft + models.retry.budget)
  const turn: Turn = { request, signal, attempts: 0, refusal: undefined }
  for (const [at, target] of targets.entries()) {
    const reply = await ask(models, target, turn)
    if (reply === undefined) continue
    const others = targets.slice(at + 1)
    if (!isPostponed(models, reply) || !mayRetry(models, turn) || !others.some((it) => isUsable(it.upstream)))
      return reply
    turn.refusal = unavailable(reply.headers['retry-after'])
    await reply.body[Symbol.asyncIterator]().return?.()
  }
  throw turn.refusal ?? allBlocked(targets)
}

interface Turn {
  readonly request: ModelRequest
  readonly signal: AbortSignal
  attempts: number
  /** Why the last attempt failed. */
  refusal: Refusal | undefined
}

const isUsable = (upstream: Upstream): boolean => upstream.breaker.blockedMs() === 0

/** Undefined when this target did nothing and another may be asked. */
const ask = async (
  models: ModelPool,
  target: Target<Upstream>,
  turn: Turn,
): Promise<ModelReply | undefined> => {
  if (turn.attempts > 0 && !mayRetry(models, turn)) return undefined
  const permit = target.upstream.breaker.enter()
  if (permit === undefined) return undefined
  if (turn.attempts > 0) models.retriesLeft -= 1
  turn.attempts += 1
  try {
    const reply = await attempt(models, target, { permit, turn })
    return target.version === undefined ? reply : { ...reply, version: target.version }
  } catch (error) {
    if (!(error instanceof AttemptFailed)) {
      permit.unused()
      throw error
    }
    if (!error.again) throw error.refusal
    turn.refusal = error.refusal
    // The connection was stale, not the server: another connection to it will do.
    return error.result === 'reset' ? ask(models, target, turn) : undefined
  }
}

const mayRetry = (models: ModelPool, turn: Turn): boolean =>
  turn.attempts < models.retry.attempts && models.retriesLeft >= 1

const isPostponed = ({ retry }: ModelPool, { status, headers }: ModelReply): boolean =>
  headers['retry-after'] !== undefined && retry.statuses.some((each) => each === status)

const unavailable = (retryAfter: string | undefined): Refusal =>
  new Refusal('model_unavailable', {
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
  })

const allBlocked = (targets: readonly Target<Upstream>[]): Refusal => {
  const ms = Math.min(...targets.map(({ upstream }) => upstream.breaker.blockedMs()))
  return unavailable(String(Math.max(1, Math.ceil(ms / 1000))))
}

const attempt = async (
  { meter }: ModelPool,
  { upstream, model }: Target<Upstream>,
  { permit, turn: { request, signal } }: { readonly permit: Permit; readonly turn: Turn },
): Promise<ModelReply> => {
  const { name } = upstream.options
  const count = (result: Result): void => meter.add('postern_upstream_requests_total', 1, name, result)
  if (upstream.calls >= upstream.maxCalls) {
    permit.unused()
    count('saturated')
    throw noConnection()
  }
  const path = upstream.base + request.path
  if (!isPath(path)) throw new Refusal('guard_failed', { cause: new Error('path') })
  const headers = requestHeaders(request, upstream.headers)
  const body = request.body(model ?? request.model)
  const startedAt = performance.now()
  let answered = false
  upstream.calls += 1
  return callUpstream({
    pool: upstream.pool,
    upstream: upstream.options,
    path,
    headers,
    body,
    stream: request.stream,
    signal,
    onHead: (status) => {
      answered = true
      meter.observe('postern_upstream_seconds', (performance.now() - startedAt) / 1000, name)
      if (isOverloaded(status)) permit.failed()
      else permit.ok()
    },
    onOver: (result) => {
      count(result)
      if (isFailure(result)) {
        permit.failed()
        if (answered) upstream.breaker.fault()
      } else permit.unused()
    },
    onReleased: () => {
      upstream.calls -= 1
    },
  })
}

/** Other errors may be the caller's doing; a caller must not be able to open the circuit for all. */
const isOverloaded = (status: number): boolean => status === 502 || status === 503 || status === 504

const isFailure = (result: Result): boolean =>
  result === 'connect_failed' ||
  result === 'reset' ||
  result === 'timeout' ||
  result === 'invalid' ||
  result === 'cut'
