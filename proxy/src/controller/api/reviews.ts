import { AuthenticationV1Api, type KubeConfig, type V1TokenReview } from '@kubernetes/client-node'
import { isObject } from '../../core/json.ts'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import { readJson } from '../../core/strict-json.ts'
import type { Answer, Asked, Route } from '../https-server.ts'
import { asModel, kubeError } from '../kube.ts'
import { shares } from '../shares.ts'
import { ApiError, errorAnswer } from './api-error.ts'
import type { Tokens } from './token.ts'

export interface ReviewsOptions {
  readonly kube: KubeConfig
  readonly tokens: Pick<Tokens, 'recentAccount'>
  readonly log: Log
  readonly meter: Meter
}

const MAX_BODY = 32_768
const LIMITS = { depth: 6, nodes: 128, keys: 64 }
const MAX_TOKEN = 16_384
const MAX_AUDIENCES = 16
/** Reviews at a time. Guards ask once for each token and half minute; those of one namespace leave room for the others. */
const IN_FLIGHT = { all: 64, each: 16 }

/**
 * `POST /apis/authentication.k8s.io/v1/tokenreviews`, as the API server has it: a guard asks here whose ServiceAccount token a caller
 * sent, so that no guarded workload needs rights at the API server, nor a token for it. Audiences must be named: a token for the API
 * server itself is nothing that a caller should hand around.
 */
export const reviewsRoute = ({ kube, tokens, log, meter }: ReviewsOptions): Route => {
  const api = kube.makeApiClient(AuthenticationV1Api)
  const inFlight = shares(IN_FLIGHT)
  const review = async (asked: Asked): Promise<Answer> => {
    const { namespace } = await tokens.recentAccount(asked)
    const spec = specOf(asked.body)
    if (!inFlight.take(namespace, 1)) throw new ApiError(503, 'too many guards ask at once; try again', 1)
    try {
      const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' }
      const { status } = await api.createTokenReview({ body: asModel<V1TokenReview>({ ...kind, spec }) })
      return { status: 201, body: { ...kind, spec: {}, status: status ?? {} } }
    } catch (error) {
      log.warn('token_review_failed', { why: kubeError('review a token', error).message })
      throw new ApiError(503, 'the Kubernetes API server cannot be asked about the token; try again', 1)
    } finally {
      inFlight.give(namespace, 1)
    }
  }
  const count = (result: string): void => meter.add('postern_controller_token_reviews_total', 1, result)
  return {
    maxBody: MAX_BODY,
    handle: async (asked) => {
      try {
        const answer = await review(asked)
        count('answered')
        return answer
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        count(error.status === 503 ? 'failed' : 'refused')
        return errorAnswer(error)
      }
    },
  }
}

const specOf = (body: Buffer): { readonly token: string; readonly audiences: readonly string[] } => {
  const { token, audiences } = fieldsOf(body)
  if (typeof token !== 'string' || token === '' || token.length > MAX_TOKEN)
    throw new ApiError(400, 'spec.token must be a token')
  if (!isAudiences(audiences)) throw new ApiError(400, 'spec.audiences must name whom the token is for')
  return { token, audiences }
}

const fieldsOf = (body: Buffer): Readonly<Record<string, unknown>> => {
  try {
    const review = readJson(body, LIMITS)
    if (isObject(review) && review['kind'] === 'TokenReview' && isObject(review['spec']))
      return review['spec']
  } catch {
    // What is wrong in it is of no use to a guard, and may be part of a token.
  }
  throw new ApiError(400, 'send a TokenReview')
}

const isAudiences = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_AUDIENCES &&
  value.every((one) => typeof one === 'string' && one !== '' && one.length <= 256)
