import { rounds } from '../core/rounds.ts'
import { GrpcError, grpcStream } from './grpc-stream.ts'
import { firstOr, keeper, type KeeperOptions, type WorkloadIdentity } from './keeper.ts'
import { readSvids, type Svid } from './svid-response.ts'

export interface SpireIdentityOptions extends KeeperOptions {
  /** The socket of the SPIFFE Workload API: a path, also as `unix:///path`. */
  readonly socket: string
  /** Of several identities, the one with this hint; `spiffeId` chooses too. The first when neither is given. */
  readonly hint?: string
  /** Milliseconds to wait after a failure; 1 s, doubling up to 30 s, when absent. */
  readonly retryMinMs?: number
  readonly retryMaxMs?: number
  /** How long `spireIdentity` waits for the first certificate before it resolves without; 15 s when absent. */
  readonly firstWaitMs?: number
  /** Until the agent must have answered; 10 s when absent. */
  readonly timeoutMs?: number
  /** Between two pings that show that the agent is still there; 30 s when absent. */
  readonly pingMs?: number
  /** How long the agent may deny that we have an identity before it is no longer used; 5 min when absent. */
  readonly withdrawnAfterMs?: number
}

/** Service and method of workload.proto; the service is in no package. */
const PATH = '/SpiffeWorkloadAPI/FetchX509SVID'

/** Without it an agent refuses, lest a workload be tricked into asking by a forwarded request (SPIFFE Workload Endpoint, 3). */
const METADATA = { 'workload.spiffe.io': 'true' }

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const PERMISSION_DENIED = 7

/**
 * Follows the X.509 identity that a SPIRE agent, or another server of the SPIFFE Workload API, gives to this workload, and keeps
 * it in `directory`. Every message is the whole state. When the stream ends it is opened again, with back-off; meanwhile the
 * identity serves until its end, except that an agent which keeps denying it for `withdrawnAfterMs` withdraws it: an agent that
 * has just started denies too. As `workloadIdentity`, this resolves after `firstWaitMs` at the latest and goes on trying.
 * Throws Error for options that can never work.
 */
export const spireIdentity = async (options: SpireIdentityOptions): Promise<WorkloadIdentity> => {
  const { retryMinMs = 1_000, retryMaxMs = 30_000, firstWaitMs = 15_000 } = options
  const { timeoutMs = 10_000, pingMs = 30_000, withdrawnAfterMs = 300_000 } = options
  const socketPath = options.socket.replace(/^unix:(?:\/\/)?/, '')
  if (!socketPath.startsWith('/'))
    throw new Error('workload: the socket of the Workload API must be an absolute path, or unix:// and one')
  const kept = keeper('spire', options)
  await kept.restore()
  let deniedSince: number | undefined

  const following = rounds({
    retry: { minMs: retryMinMs, maxMs: retryMaxMs },
    round: async (round) => {
      const { signal } = round
      const call = { socketPath, path: PATH, metadata: METADATA, firstMessageMs: timeoutMs, pingMs, signal }
      for await (const message of grpcStream({ ...call, maxMessageBytes: MAX_MESSAGE_BYTES })) {
        const { certificate, key, ca } = chosen(readSvids(message), options)
        await kept.adopt({ certificate, key, ca })
        deniedSince = undefined
        kept.withhold(undefined)
        following.unref()
        round.succeeded()
      }
      return 0
    },
    failed: (cause, failure) => {
      deniedSince = denies(cause) ? (deniedSince ?? performance.now()) : undefined
      if (deniedSince !== undefined && performance.now() - deniedSince >= withdrawnAfterMs)
        kept.withhold('the agent says that this workload has no identity')
      kept.failed(cause, failure)
    },
  })
  await firstOr(kept.ready(), firstWaitMs)
  return {
    ready: () => kept.ready(),
    unready: () => kept.unready(),
    close: async () => {
      kept.close()
      await following.close()
    },
  }
}

/** A whole state without the identity that we had takes it back, as a denial does. */
class NoIdentityError extends Error {}

const denies = (cause: Error): boolean =>
  cause instanceof NoIdentityError || (cause instanceof GrpcError && cause.status === PERMISSION_DENIED)

const chosen = (svids: readonly Svid[], { hint, spiffeId }: SpireIdentityOptions): Svid => {
  const found = svids.find(
    (svid) =>
      (hint === undefined || svid.hint === hint) && (spiffeId === undefined || svid.spiffeId === spiffeId),
  )
  if (found === undefined)
    throw new NoIdentityError(`none of ${svids.length} identities is the one asked for`)
  return found
}
