import { X509Certificate } from 'node:crypto'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { Answer, Asked, Route } from '../https-server.ts'
import { MAX_REQUEST, RequestError, requestedKey } from '../pki/certificate-request.ts'
import type { AuthorityKeeper } from '../pki/keeper.ts'
import { CLOCK_SKEW_MS } from '../pki/state.ts'
import { ApiError, errorAnswer } from './api-error.ts'
import { throttle } from './throttle.ts'
import type { Account, Tokens } from './token.ts'

export interface IdentityOptions {
  /** Where guards get their certificates instead; undefined when here. */
  readonly elsewhere: string | undefined
  readonly tokens: Pick<Tokens, 'account'>
  /** Throws ApiError when the pod may not have a certificate. */
  readonly podNames: (account: Account) => Promise<readonly string[]>
  readonly authority: Pick<AuthorityKeeper, 'sign'>
  readonly trustDomain: string
  readonly lifeMs: number
  readonly log: Log
  readonly meter: Meter
}

/** A pod asks at its start and when a third of the life is left; the rest is for restarts. */
const PER_POD = { burst: 6, refillMs: 20_000, keys: 10_000 }

/**
 * `POST /v1/identity`: a certificate for the key of a request, in the name of the ServiceAccount whose pod asks. The names in the request count for
 * nothing.
 */
export const identityRoute = (options: IdentityOptions): Route => {
  const waitFor = throttle(PER_POD)
  const count = (result: string): void =>
    options.meter.add('postern_controller_certificates_total', 1, 'workload', result)
  return {
    maxBody: MAX_REQUEST,
    handle: async (asked): Promise<Answer> => {
      try {
        const answer = await issue(asked, options, waitFor)
        count('issued')
        return answer
      } catch (error) {
        if (error instanceof RequestError) {
          count('refused')
          return errorAnswer(new ApiError(400, error.message))
        }
        if (error instanceof ApiError) {
          count(error.status === 503 ? 'failed' : 'refused')
          return errorAnswer(error)
        }
        count('failed')
        options.log.error('identity_failed', { cause: error as Error })
        return errorAnswer(new ApiError(503, 'no certificate can be made at present; try again', 5))
      }
    },
  }
}

const issue = async (
  asked: Asked,
  options: IdentityOptions,
  waitFor: (key: string) => number,
): Promise<Answer> => {
  if (options.elsewhere !== undefined)
    throw new ApiError(
      403,
      `certificates come from ${options.elsewhere} in this cluster (injection.identity)`,
    )
  const account = await options.tokens.account(asked)
  const { namespace, name, pod } = account
  const wait = waitFor(pod?.uid ?? `${namespace}/${name}`)
  if (wait > 0) throw new ApiError(429, 'this pod asks for certificates too often', Math.ceil(wait / 1000))
  const publicKey = await requestedKey(asked.body.toString('latin1'))
  const dns = await options.podNames(account)
  const now = Date.now()
  const { certificate, authorities } = await options.authority.sign({
    publicKey,
    names: { dns, uri: `spiffe://${options.trustDomain}/ns/${namespace}/sa/${name}` },
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + options.lifeMs),
    usage: ['client', 'server'],
  })
  const notAfter = new Date(new X509Certificate(certificate).validTo).toISOString()
  options.log.info('certificate_issued', { namespace, account: name, pod: pod?.name, not_after: notAfter })
  return { status: 200, body: { certificate, ca: authorities, notAfter } }
}
