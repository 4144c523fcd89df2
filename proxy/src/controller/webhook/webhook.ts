import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { Answer, Route } from '../https-server.ts'
import { injectPod } from '../inject/inject-pod.ts'
import { injectService } from '../inject/inject-service.ts'
import { jsonPatch } from '../inject/json-patch.ts'
import type { Pod } from '../inject/objects.ts'
import { label, type InjectSettings } from '../inject/settings.ts'
import { MAX_REVIEW, readReview, reviewAnswer, type ReviewRequest, type Verdict } from './review.ts'

export interface WebhookOptions {
  /** Asked for each review: profiles change. */
  readonly settings: () => InjectSettings
  readonly log: Log
  readonly meter: Meter
}

type Judge = (request: ReviewRequest, settings: InjectSettings) => Verdict

/** The two mutating webhooks. Whatever goes wrong, the answer is no: an object is never let through unguarded by mistake. */
export const webhookRoutes = (options: WebhookOptions): Readonly<Record<string, Route>> => ({
  'POST /inject': reviewRoute('pods', judgePod, options),
  'POST /inject-services': reviewRoute('services', judgeService, options),
})

const reviewRoute = (webhook: 'pods' | 'services', judge: Judge, options: WebhookOptions): Route => ({
  maxBody: MAX_REVIEW,
  handle: ({ body }): Answer => {
    const began = performance.now()
    const { log, meter, settings } = options
    const count = (result: string): void => {
      meter.add('postern_controller_admissions_total', 1, webhook, result)
      meter.observe('postern_controller_admission_seconds', (performance.now() - began) / 1000, webhook)
    }
    let request: ReviewRequest
    try {
      request = readReview(body)
    } catch (error) {
      count('failed')
      return { status: 400, body: { error: (error as Error).message } }
    }
    const verdict = judged(request, () => judge(request, settings()), log)
    count(verdict.kind)
    return reviewAnswer(request.uid, verdict)
  },
})

const judged = (request: ReviewRequest, judge: () => Verdict, log: Log): Verdict => {
  try {
    return judge()
  } catch (cause) {
    log.error('admission_failed', { uid: request.uid, namespace: request.namespace, cause: cause as Error })
    const message = `postern: the guard could not be added because of an error in the controller. Its log has it under uid ${request.uid}.`
    return { kind: 'failed', message }
  }
}

const judgePod: Judge = (request, settings) => {
  const found = objectOf(request, 'Pod')
  if (typeof found === 'string') return refused(found)
  // The injector checks the shape of what it reads.
  const pod = found as Pod | undefined
  // The containers of a pod that exists cannot change.
  if (pod === undefined || request.operation !== 'CREATE' || pod.metadata?.labels?.[label.inject] !== 'true')
    return { kind: 'unchanged' }
  const { namespace } = request
  if (namespace === undefined || namespace === '') return refused('a pod without a namespace')
  const injection = injectPod(pod, settings, { namespace })
  if (injection.kind === 'refused') return refused(injection.message)
  return patchOf(pod, injection.pod, injection.status.warnings)
}

const judgeService: Judge = (request, settings) => {
  const found = objectOf(request, 'Service')
  if (typeof found === 'string') return refused(found)
  const service = found as Parameters<typeof injectService>[0] | undefined
  if (service === undefined || request.operation === 'DELETE') return { kind: 'unchanged' }
  const injection = injectService(service, settings)
  if (injection.kind === 'refused') return refused(injection.message)
  return patchOf(service, injection.service, injection.warnings)
}

/** Undefined for a part of the object, such as its status; text when this webhook was asked about something else. */
const objectOf = (request: ReviewRequest, kind: string): object | string | undefined => {
  if (request.subResource !== undefined && request.subResource !== '') return undefined
  const { group, version, kind: found } = request.kind
  if (group !== '' || version !== 'v1' || found !== kind)
    return `this webhook is for ${kind}s of v1; correct the rules of its MutatingWebhookConfiguration`
  const { object } = request
  if (request.operation === 'DELETE') return undefined
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    return `there is no ${kind} in the review`
  return object
}

const patchOf = (before: object, after: object, warnings: readonly string[]): Verdict => {
  const patch = jsonPatch(before, after)
  return patch.length === 0 ? { kind: 'unchanged' } : { kind: 'patched', patch, warnings }
}

const refused = (message: string): Verdict => ({
  kind: 'refused',
  message: message.startsWith('postern') ? message : `postern: ${message}`,
})
