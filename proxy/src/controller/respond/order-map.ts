import type { Log } from '../../core/log.ts'
import { readOrders, writeOrders, type Order, type OrderStore } from '../../core/orders.ts'
import { KubeError, type KubeApi, type KubeObject } from '../kube/api.ts'
import { startInformer } from '../kube/informer.ts'

export interface OrderMapOptions {
  readonly api: KubeApi
  readonly namespace: string
  readonly name: string
  readonly log: Log
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

const KEY = 'orders.json'
const TRIES = 8

/**
 * Orders in a ConfigMap, which all replicas follow and each may change: at the version that it read, again when another was faster. What
 * cannot be read changes nothing that is in force. A ConfigMap that somebody deletes takes its orders with it.
 */
export const orderMap = (options: OrderMapOptions): OrderStore => {
  const { api, namespace, name, log } = options
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const listeners: (() => void)[] = []
  let orders: readonly Order[] = []
  let known = false
  const take = (next: readonly Order[]): void => {
    orders = next
    known = true
    for (const listener of listeners) listener()
  }
  const informer = startInformer<ConfigMap, ConfigMap>({
    ...{ api, path, log, fieldSelector: `metadata.name=${name}` },
    keep: ({ metadata, data = {} }) => ({ metadata: { name: metadata.name }, data }),
    onChange: () => {
      try {
        take(ordersIn(informer.get(namespace, name) ?? informer.list()[0]))
      } catch (cause) {
        log.error('orders_rejected', { cause: cause as Error })
      }
    },
  })
  const { read, write } = configMapOf(options)
  return {
    current: () => orders,
    unready: () => (known ? undefined : `ConfigMap ${name} is not read yet`),
    change: async (edit) => {
      for (let tries = 0; tries < TRIES; tries++) {
        const found = await read()
        const before = ordersIn(found)
        const { orders: next, told } = edit(before)
        if (next === before) return told
        if (await write(found, next)) {
          take(next)
          return told
        }
      }
      throw new Error(`ConfigMap ${name} is changed by others all the time; try again`)
    },
    onChange: (listener) => void listeners.push(listener),
    close: () => informer.close(),
  }
}

/** `write` is false when somebody else wrote since `found` was read. */
const configMapOf = ({ api, namespace, name }: OrderMapOptions) => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const read = async (): Promise<ConfigMap | undefined> => {
    try {
      const signal = AbortSignal.timeout(10_000)
      return await api.call<ConfigMap>({ method: 'GET', path: `${path}/${name}`, signal })
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined
      throw error
    }
  }
  const write = async (found: ConfigMap | undefined, next: readonly Order[]): Promise<boolean> => {
    const version = found?.metadata.resourceVersion
    const metadata = { name, namespace, ...(version !== undefined && { resourceVersion: version }) }
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [KEY]: writeOrders(next) } }
    const signal = AbortSignal.timeout(10_000)
    try {
      if (found === undefined) await api.call({ method: 'POST', path, body, signal })
      else await api.call({ method: 'PUT', path: `${path}/${name}`, body, signal })
      return true
    } catch (error) {
      if (error instanceof KubeError && error.status === 409) return false
      throw error
    }
  }
  return { read, write }
}

const ordersIn = (map: ConfigMap | undefined): readonly Order[] => {
  const text = map?.data?.[KEY]
  return text === undefined ? [] : readOrders(Buffer.from(text))
}
