import { placed, type Problem } from '../policies/problem.ts'
import type { KubeObject } from '../kube/api.ts'
import type { Notice } from '../kube/events.ts'

export const STATUS = 'openpolicyagent.org/kube-mgmt-status'

export interface Standing {
  /** Value of the status annotation. */
  readonly status: string
  /** Undefined where the annotation alone tells it. */
  readonly notice?: Omit<Notice, 'about'>
}

export interface Outcome {
  /** Of the bundle in force; undefined while there is none. */
  readonly revision: string | undefined
  readonly problems: readonly Problem[]
  /** ConfigMaps that are in force exactly as they are. */
  readonly applied: (name: string) => boolean
}

/** What is said about one policy ConfigMap. */
export const standingOf = (name: string, { revision, problems, applied }: Outcome): Standing => {
  const own = problems.find(({ configMap }) => configMap === name)
  const stays =
    revision === undefined
      ? 'No policy is in force yet.'
      : `The policy in force stays (revision ${revision}).`
  if (own !== undefined) {
    const more = problems.filter(({ configMap }) => configMap === name).length - 1
    const message = `${placed(own)}${more > 0 ? ` (and ${more} more)` : ''}`
    return {
      status: failed(own.code, message),
      notice: { type: 'Warning', reason: 'PolicyRejected', message: `${capital(message)}. ${stays}` },
    }
  }
  if (applied(name) && revision !== undefined) {
    return {
      status: JSON.stringify({ status: 'ok', revision }),
      notice: {
        type: 'Normal',
        reason: 'PolicyApplied',
        message: `In force with the policy of revision ${revision}.`,
      },
    }
  }
  const [first] = problems
  const because =
    first === undefined
      ? 'it was not built yet'
      : first.configMap === undefined
        ? placed(first)
        : `ConfigMap ${first.configMap} is refused: all policies come into force together, or none`
  const message = `Not in force, because ${because}. ${stays}`
  return {
    status: failed('held', message),
    ...(first === undefined ? {} : { notice: { type: 'Warning', reason: 'PolicyHeld', message } }),
  }
}

export const aboutConfigMap = ({
  metadata: { namespace = '', name, uid = '' },
}: KubeObject): Notice['about'] => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace,
  name,
  uid,
})

const failed = (code: string, message: string): string =>
  JSON.stringify({ status: 'error', error: { code, message } })

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
