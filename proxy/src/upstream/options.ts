import type { ModelVersion } from '../core/upstream.ts'
import type { BreakerOptions } from './breaker.ts'

export interface UpstreamOptions {
  /** Short and unique: a metric label, and in the audit record. */
  readonly name: string
  /** `http:` or `https:`, a path prefix if need be; no query, no user. */
  readonly url: string
  /** The upstream's own credential, such as `authorization` and `Bearer …`. */
  readonly credential?: { readonly header: string; readonly value: string }
  readonly tls?: TlsOptions
  readonly pool: {
    readonly connections: number
    /** Calls that may wait for a connection; further ones fail at once. As many as connections when absent. */
    readonly maxWaiting?: number
    /** How long an unused connection is kept; shorter than the upstream's own idle timeout, or calls meet closed ones. */
    readonly keepAliveMs: number
  }
  readonly timeouts: {
    readonly connectMs: number
    /** From the call to the last byte of the response headers, waiting for a connection included. */
    readonly headersMs: number
    /** Between two pieces of the body; also how long a reader may leave a piece unread. */
    readonly idleMs: number
    /** From the call to the last byte of the answer. */
    readonly totalMs: number
  }
  readonly maxHeaderBytes: number
  /** Of a whole answer. */
  readonly maxBodyBytes: number
  /** Of a streamed answer; 64 MiB when absent. */
  readonly maxStreamBytes?: number
}

/** PEM texts. Without `ca` the system's authorities count. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
  /** The server must have one of these SPIFFE IDs as its only URI name, instead of a DNS name. Needs `ca`. */
  readonly spiffeIds?: readonly string[]
}

export interface TargetOptions {
  readonly upstream: string
  /** What this upstream calls the model; the name asked for when absent. */
  readonly model?: string
  /** Share of the calls, relative to the other targets; 1 when absent, 0 for none. Fallbacks have no weight. */
  readonly weight?: number
  /** The version that this target serves, for the record. */
  readonly version?: ModelVersion
}

export interface ModelPoolOptions {
  readonly upstreams: readonly UpstreamOptions[]
  /** `name` may hold one `*`. Exact names count first, then the order given. */
  readonly models: readonly {
    readonly name: string
    readonly targets: readonly TargetOptions[]
    /** Tried in order when no target can be reached. */
    readonly fallback?: readonly TargetOptions[]
  }[]
  readonly retry?: Partial<RetryOptions>
  readonly breaker?: Partial<BreakerOptions>
}

export interface RetryOptions {
  /** Upstreams tried for one call at most, the first included. 3 when absent. */
  readonly attempts: number
  /** Second attempts per call in the long run, so that retries never double the load of a failing model. 0.2 when absent. */
  readonly budget: number
  /** Statuses that, with a `retry-after`, send the call to the next target: nothing was done yet. None when absent. */
  readonly statuses: readonly (429 | 503)[]
}
