import { createHash } from 'node:crypto'
import type { Log } from '../../core/log.ts'
import { KubeError, type KubeApi } from './api.ts'
import { FIELD_MANAGER } from './keep.ts'

export interface Notice {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase. */
  readonly reason: string
  /** For a person; cut at 1000 characters. */
  readonly message: string
  readonly about: {
    readonly apiVersion: string
    readonly kind: string
    readonly namespace: string
    readonly name: string
    readonly uid: string
  }
}

export interface Events {
  /** Tells once; again after half an hour while it is still so. Throws KubeError or another Error to be called again; a namespace that takes no Events is only logged. */
  tell(notice: Notice, signal: AbortSignal): Promise<void>
}

const AGAIN_MS = 1_800_000
/** Notices remembered. A forgotten one is told again, as the same Event. */
const REMEMBERED = 4096

/** Kubernetes Events with a name made of what they say, so that the same one is never there twice, whoever tells it. */
export const kubeEvents = (api: KubeApi, log: Log): Events => {
  const told = new Map<string, { at: number; count: number }>()
  const remember = (name: string, count: number): void => {
    told.delete(name)
    told.set(name, { at: performance.now(), count })
    const oldest = told.size > REMEMBERED ? told.keys().next().value : undefined
    if (oldest !== undefined) told.delete(oldest)
  }
  return {
    tell: async (notice, signal) => {
      const name = nameOf(notice)
      const before = told.get(name)
      if (before !== undefined && performance.now() - before.at < AGAIN_MS) return
      const count = (before?.count ?? 0) + 1
      try {
        await write(api, { notice, name, count, signal })
        remember(name, count)
      } catch (error) {
        // In a namespace that is going away nothing can be made, and what is gone has nobody to be told.
        if (!(error instanceof KubeError) || (error.status !== 403 && error.status !== 404)) throw error
        log.warn('event_not_written', { reason: notice.reason, cause: error })
      }
    },
  }
}

const nameOf = ({ reason, message, about }: Notice): string => {
  const digest = createHash('sha256').update(`${about.uid}\0${reason}\0${message}`).digest('hex').slice(0, 16)
  return `${about.name.slice(0, 200)}.${digest}`
}

interface Telling {
  readonly notice: Notice
  readonly name: string
  readonly count: number
  readonly signal: AbortSignal
}

const write = async (api: KubeApi, { notice, name, count, signal }: Telling): Promise<void> => {
  const { type, reason, message, about } = notice
  const path = `/api/v1/namespaces/${about.namespace}/events`
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: about.namespace },
    involvedObject: about,
    ...{ type, reason, message: message.length > 1000 ? `${message.slice(0, 999)}…` : message },
    ...{ firstTimestamp: now, lastTimestamp: now, count },
    source: { component: FIELD_MANAGER },
    reportingComponent: FIELD_MANAGER,
    reportingInstance: '',
  }
  try {
    await api.call({ method: 'POST', path: `${path}?fieldManager=${FIELD_MANAGER}`, body, signal })
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 409)) throw error
    await api.call({
      method: 'PATCH',
      path: `${path}/${name}?fieldManager=${FIELD_MANAGER}`,
      body: { lastTimestamp: now, ...(count > 1 ? { count } : {}) },
      type: 'application/merge-patch+json',
      signal,
    })
  }
}
