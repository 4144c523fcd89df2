import { AuthenticationV1Api, type KubeConfig, type V1TokenReview } from '@kubernetes/client-node'
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Log } from '../../core/log.ts'
import type { Asked } from '../https-server.ts'
import { asModel, kubeError } from '../kube.ts'
import { shares } from '../shares.ts'
import { ApiError } from './api-error.ts'

/** A ServiceAccount, and the pod that its token is bound to. */
export interface Account {
  readonly namespace: string
  readonly name: string
  readonly pod: { readonly name: string; readonly uid: string } | undefined
}

export interface TokenOptions {
  readonly kube: KubeConfig
  readonly audience: string
  readonly log: Log
}

type Asker = Pick<Asked, 'headers' | 'address'>

export interface Tokens {
  /** Whose bearer token it is, by the API server's word now. Throws ApiError 401 or 503. */
  account(asked: Asker): Promise<Account>
  /** As `account`, by a word that may be half a minute old: for what is asked often and gives no rights. */
  recentAccount(asked: Asker): Promise<Account>
}

const MAX_TOKEN = 8192
/** A compact JWS, whose characters are all that may be in one. */
const TOKEN = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/
/** Reviews at a time. Nothing but the address is known of who shows a token that nobody has looked at. */
const IN_FLIGHT = { all: 32, each: 8 }
const KEPT_MS = 30_000
const MAX_KEPT = 10_000
const USER =
  /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?)$/
const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'

export const tokens = ({ kube, audience, log }: TokenOptions): Tokens => {
  const api = kube.makeApiClient(AuthenticationV1Api)
  const kept = new Map<string, { readonly account: Account; readonly until: number }>()
  const inFlight = shares(IN_FLIGHT)

  const review = async (token: string, address: string): Promise<Account> => {
    if (!inFlight.take(address, 1)) throw new ApiError(503, 'too many guards ask at once; try again', 2)
    try {
      const body = asModel<V1TokenReview>({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [audience] },
      })
      return accountOf(await api.createTokenReview({ body }), audience)
    } catch (error) {
      if (error instanceof ApiError) throw error
      log.warn('token_review_failed', { why: kubeError('review a token', error).message })
      throw new ApiError(503, 'the Kubernetes API server cannot be asked about the token; try again', 5)
    } finally {
      inFlight.give(address, 1)
    }
  }
  return {
    account: async (asked) => review(bearer(asked.headers), asked.address),
    recentAccount: async ({ headers, address }) => {
      const token = bearer(headers)
      const key = hash('sha256', token, 'base64')
      const known = kept.get(key)
      if (known !== undefined && performance.now() < known.until) return known.account
      kept.delete(key)
      const account = await review(token, address)
      const oldest = kept.size >= MAX_KEPT ? kept.keys().next().value : undefined
      if (oldest !== undefined) kept.delete(oldest)
      kept.set(key, { account, until: performance.now() + KEPT_MS })
      return account
    },
  }
}

const bearer = ({ authorization }: IncomingHttpHeaders): string => {
  const token = (authorization?.length ?? 0) <= MAX_TOKEN ? TOKEN.exec(authorization ?? '')?.[1] : undefined
  if (token === undefined)
    throw new ApiError(401, 'send the ServiceAccount token of the pod as authorization: Bearer TOKEN')
  return token
}

const accountOf = ({ status }: V1TokenReview, audience: string): Account => {
  if (status?.authenticated !== true || (status.error ?? '') !== '')
    throw new ApiError(
      401,
      `the API server does not accept the token for audience ${audience}: it ended, its pod is gone, or it is for another audience`,
    )
  // A server that does not know audiences answers without them: it has not checked them.
  if (status.audiences?.includes(audience) !== true)
    throw new ApiError(401, `the token is not for audience ${audience}`)
  const [, namespace, name] = USER.exec(status.user?.username ?? '') ?? []
  if (namespace === undefined || name === undefined)
    throw new ApiError(401, 'the token is not of a ServiceAccount')
  const extra = status.user?.extra ?? {}
  const [podName, podUid] = [extra[POD_NAME]?.[0], extra[POD_UID]?.[0]]
  const pod = podName === undefined || podUid === undefined ? undefined : { name: podName, uid: podUid }
  return { namespace, name, pod }
}
