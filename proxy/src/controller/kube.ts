import type { Dispatcher } from 'undici'
import type { KubeConfig, RequestContext } from '@kubernetes/client-node'

export interface KubeOptions {
  /** For one call that is not a watch, in milliseconds; 10000 when absent. */
  readonly timeoutMs?: number
}

/** How long one pool of connections is used: then a changed CA or client certificate of the API server counts. */
const POOL_MS = 300_000

/**
 * The same configuration with calls bounded in time (watches have bounds of their own) and connections that are used again: as it
 * comes, the client opens a new one for each call, and a call without an answer lasts five minutes.
 */
export const boundedKube = (kube: KubeConfig, { timeoutMs = 10_000 }: KubeOptions = {}): KubeConfig => {
  const authenticate = kube.applySecurityAuthentication.bind(kube)
  let pool: { readonly dispatcher: Dispatcher; readonly until: number } | undefined
  const applySecurityAuthentication = async (context: RequestContext): Promise<void> => {
    await authenticate(context)
    context.setSignal(AbortSignal.timeout(timeoutMs))
    const fresh = context.getDispatcher()
    if (fresh === undefined) return
    if (pool === undefined || performance.now() >= pool.until) {
      // Its calls and watches end by themselves, and then it does.
      void pool?.dispatcher.close().catch(() => undefined)
      pool = { dispatcher: fresh, until: performance.now() + POOL_MS }
    }
    context.setDispatcher(pool.dispatcher)
  }
  return Object.assign(kube, { applySecurityAuthentication })
}

/** An object of the API as plain data: the client's classes have no behaviour of their own. */
export type Plain<T> = T extends Date | string | number | boolean | undefined
  ? T
  : T extends readonly (infer Element)[]
    ? readonly Plain<Element>[]
    : { readonly [Key in keyof T]: Plain<T[Key]> }

export const asModel = <T>(plain: Plain<T>): T => plain as T

/** HTTP status of a refused call; undefined when there was no answer. */
export const statusOf = (error: unknown): number | undefined => {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'number' ? code : undefined
}

/** Without the body of the answer and its headers, which the client puts into its messages. */
export const kubeError = (what: string, error: unknown): Error => {
  const status = statusOf(error)
  const why = status === undefined ? reasonOf(error) : `the API server answers ${status}${hint(status)}`
  return new Error(`cannot ${what}: ${why}`)
}

const hint = (status: number): string => {
  if (status === 401) return ' (the ServiceAccount token is not accepted)'
  if (status === 403) return ' (RBAC does not allow it; install the roles of the chart)'
  return ''
}

const reasonOf = (error: unknown): string => {
  const { name, message, cause } = error as Error
  const inner = (cause as NodeJS.ErrnoException | undefined)?.code
  if (name === 'TimeoutError') return 'the API server did not answer in time'
  return inner ?? message
}
