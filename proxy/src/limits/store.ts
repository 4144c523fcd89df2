import { createHash } from 'node:crypto'
import { createClient, createCluster } from '@redis/client'
import type { Log } from '../core/log.ts'

export interface RedisOptions {
  /** `redis://host:6379` or `rediss://host:6379`, a database number as path if need be. */
  readonly url: string
  /** The address is one node of a Redis Cluster. All keys share one hash tag, so they live on one node. */
  readonly cluster?: boolean
  readonly username?: string
  readonly password?: string
  readonly tls?: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly serverName?: string
  }
  readonly connectTimeoutMs: number
  /** How long one command may take before the request is limited without Redis, such as 50. */
  readonly commandTimeoutMs: number
}

export interface Call {
  readonly script: string
  readonly keys: readonly string[]
  readonly args: readonly string[]
  /** Told when the script ran after all, although `run` had already given up on it. */
  readonly late?: (reply: unknown) => void
}

/** A Redis that may be away. `run` rejects at once while it is known to be, and within the command deadline otherwise. */
export interface RedisStore {
  run(call: Call): Promise<unknown>
  /** Milliseconds since Redis went away; 0 while it is there. Asking makes it look again. */
  awayMs(): number
  close(): Promise<void>
}

export const redisStore = (options: RedisOptions, log: Log): RedisStore => {
  const state: State = {
    options,
    log,
    connection: undefined,
    downSince: performance.now(),
    nextTryAt: 0,
    failures: 0,
    reported: false,
  }
  state.connection = connect(state)
  return {
    run: (call) => run(state, call),
    awayMs: () => {
      if (state.downSince === undefined) return 0
      // Without traffic nobody else would find out that it is back.
      run(state, { script: 'return 1', keys: [], args: [] }).catch(() => undefined)
      return performance.now() - state.downSince
    },
    close: () => {
      state.connection?.destroy()
      state.connection = undefined
      return Promise.resolve()
    },
  }
}

interface Connection {
  readonly isReady: () => boolean
  readonly send: (firstKey: string | undefined, args: string[]) => Promise<unknown>
  readonly destroy: () => void
}

interface State {
  readonly options: RedisOptions
  readonly log: Log
  connection: Connection | undefined
  downSince: number | undefined
  nextTryAt: number
  failures: number
  /** The log says that Redis is away: once per outage. */
  reported: boolean
}

const RETRY_MS = 250
const RETRY_MAX_MS = 5000
const FAILURES_BEFORE_NEW_SOCKET = 3 // a socket whose peer vanished without a word never reports an error
const QUEUE_MAX = 10_000

const reconnectMs = (retries: number): number =>
  Math.min(RETRY_MAX_MS, 50 * 2 ** Math.min(retries, 10)) * (0.5 + Math.random() / 2)

const connect = (state: State): Connection => {
  const settings = clientSettings(state.options)
  // Failures show when a command is refused, and are logged there once per outage, not once per attempt.
  const ignore = (): undefined => undefined
  if (state.options.cluster === true) {
    const cluster = createCluster({ rootNodes: [settings], defaults: settings, RESP: 2 })
    cluster.on('error', ignore)
    cluster.connect().catch(ignore)
    return {
      isReady: () => cluster.isOpen,
      send: (firstKey, args) => cluster.sendCommand(firstKey, false, args),
      destroy: () => cluster.destroy(),
    }
  }
  const client = createClient({ ...settings, RESP: 2 })
  client.on('error', ignore)
  client.connect().catch(ignore)
  return {
    isReady: () => client.isReady,
    send: (_, args) => client.sendCommand(args),
    destroy: () => client.destroy(),
  }
}

const clientSettings = ({ url, username, password, tls, connectTimeoutMs }: RedisOptions) => ({
  url,
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password }),
  socket: {
    connectTimeout: connectTimeoutMs,
    reconnectStrategy: reconnectMs,
    ...(tls === undefined ? {} : tlsSettings(tls)),
  },
  disableOfflineQueue: true,
  disableClientInfo: true,
  maintNotifications: 'disabled' as const,
  commandsQueueMaxLength: QUEUE_MAX,
})

const tlsSettings = ({ ca, cert, key, serverName }: NonNullable<RedisOptions['tls']>) => ({
  tls: true as const,
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
  ...(serverName === undefined ? {} : { servername: serverName }),
})

/** While Redis hangs one request in a while tries it; the others do not wait for the deadline. */
const run = async (state: State, call: Call): Promise<unknown> => {
  const { connection } = state
  if (connection === undefined) throw new Error('redis connection closed')
  if (!connection.isReady()) throw away(state, new Error('redis is not connected'))
  const now = performance.now()
  if (state.failures > 0) {
    if (now < state.nextTryAt) throw new Error('redis does not answer')
    state.nextTryAt = now + retryMs(state.failures)
  }
  const late = (reply: unknown): void => {
    answered(state)
    call.late?.(reply)
  }
  try {
    const reply = await inTime(runScript(connection, call), state.options.commandTimeoutMs, late)
    answered(state)
    return reply
  } catch (cause) {
    throw failed(state, cause)
  }
}

const retryMs = (failures: number): number => Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(failures, 10))

const runScript = async (connection: Connection, { script, keys, args }: Call): Promise<unknown> => {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await connection.send(keys[0], ['EVALSHA', sha1(script), ...rest])
  } catch (cause) {
    if (!(cause instanceof Error) || !cause.message.startsWith('NOSCRIPT')) throw cause
    return await connection.send(keys[0], ['EVAL', script, ...rest])
  }
}

const digests = new Map<string, string>()

const sha1 = (script: string): string => {
  const known = digests.get(script) ?? createHash('sha1').update(script).digest('hex')
  digests.set(script, known)
  return known
}

const inTime = <T>(work: Promise<T>, timeoutMs: number, late: ((reply: T) => void) | undefined): Promise<T> =>
  new Promise((resolve, reject) => {
    let over = false
    const timer = setTimeout(() => {
      over = true
      reject(new Error(`redis did not answer within ${timeoutMs} ms`))
    }, timeoutMs)
    work.then(
      (reply) => {
        clearTimeout(timer)
        if (over) late?.(reply)
        else resolve(reply)
      },
      (cause: unknown) => {
        clearTimeout(timer)
        reject(cause instanceof Error ? cause : new Error('redis failed'))
      },
    )
  })

const answered = (state: State): void => {
  if (state.downSince !== undefined && state.reported) state.log.info('limiter_redis_up')
  state.downSince = undefined
  state.reported = false
  state.failures = 0
}

const away = (state: State, error: Error): Error => {
  if (!state.reported) state.log.warn('limiter_redis_down', { error })
  state.reported = true
  state.downSince ??= performance.now()
  return error
}

const failed = (state: State, cause: unknown): Error => {
  state.failures += 1
  state.nextTryAt = performance.now() + retryMs(state.failures)
  if (state.failures % FAILURES_BEFORE_NEW_SOCKET === 0 && state.connection?.isReady() === true) {
    state.connection.destroy()
    state.connection = connect(state)
  }
  return away(state, cause instanceof Error ? cause : new Error('redis failed'))
}
