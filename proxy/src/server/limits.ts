/**
 * Every bound of the listener. Times in milliseconds, sizes in bytes. `proxy/docs/limits.md` gives the reason of each;
 * the names are those of `server.limits` in the configuration.
 */
export interface ServerLimits {
  readonly headers: number
  readonly headerBytes: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly firstByteTimeoutMs: number
  readonly keepAliveMs: number
  readonly bodyBytes: number
  /** Pieces of a body that may come before each must carry 64 bytes on average. */
  readonly bodyChunks: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly connectionAgeMs: number
  readonly requestsPerConnection: number
  readonly pipelined: number
  readonly handshakeTimeoutMs: number
  readonly writeStallMs: number
  readonly checkIntervalMs: number
}
