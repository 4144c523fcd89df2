import type { Meter } from '../../core/metrics.ts'
import type { Answer, Asked, Route } from '../https-server.ts'
import type { BundleSource, ServedBundle } from '../reconcile/bundle-source.ts'
import { ApiError, errorAnswer } from './api-error.ts'
import type { Tokens } from './token.ts'

export interface BundlesOptions {
  readonly tokens: Pick<Tokens, 'recentAccount'>
  readonly bundle: BundleSource
  readonly meter: Meter
}

const MAX_WAIT_S = 60

/** Says to OPA, as to our guards, that this server holds a request until there is something new. */
const MEDIA_TYPE = 'application/vnd.openpolicyagent.bundles'

/** `GET /v1/bundles/postern.tar.gz` as OPA's bundle service API has it: ETag, 304, long poll by `Prefer: wait=SECONDS`. */
export const bundlesRoute = (options: BundlesOptions): Route => ({
  maxBody: 0,
  handle: async (asked): Promise<Answer> => {
    const count = (result: string): void =>
      options.meter.add('postern_controller_bundle_requests_total', 1, result)
    try {
      await options.tokens.recentAccount(asked)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      count('refused')
      return errorAnswer(error)
    }
    const bundle = await freshBundle(asked, options.bundle)
    if (bundle === undefined) {
      count('none')
      return errorAnswer(new ApiError(503, 'there is no policy bundle yet; try again', 5))
    }
    if (isKnown(asked, bundle)) {
      count('unchanged')
      return { status: 304, headers: { etag: bundle.etag, 'content-type': MEDIA_TYPE } }
    }
    count('sent')
    return { status: 200, headers: { etag: bundle.etag, 'content-type': MEDIA_TYPE }, body: bundle.bytes }
  },
})

/** The bundle that the client does not have; the one that it has when its wait is over, it leaves, or the server ends. */
const freshBundle = async (asked: Asked, source: BundleSource): Promise<ServedBundle | undefined> => {
  const waitS = waitOf(asked.headers.prefer)
  const over = AbortSignal.any([asked.signal, AbortSignal.timeout(waitS * 1000)])
  const stale = (): boolean => {
    const bundle = source.current()
    return bundle === undefined ? asked.headers['if-none-match'] !== undefined : isKnown(asked, bundle)
  }
  while (waitS > 0 && stale() && !over.aborted) await source.changed(over).catch(() => undefined)
  return source.current()
}

const isKnown = ({ headers }: Asked, { etag }: ServedBundle): boolean =>
  (headers['if-none-match'] ?? '')
    .slice(0, 1024)
    .split(',')
    .some((one) => one.trim().replace(/^W\//, '') === etag)

/** Seconds, 0 when it does not wait. RFC 7240: preferences by comma, parameters by semicolon, which OPA uses both. */
const waitOf = (prefer: string | string[] | undefined): number => {
  const [, seconds] = /(?:^|[,; ])wait=(\d{1,6})(?:$|[,; ])/.exec(String(prefer ?? '').slice(0, 256)) ?? []
  return Math.min(MAX_WAIT_S, Number(seconds ?? 0))
}
