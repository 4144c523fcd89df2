import { open, mkdir, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Log } from '../core/log.ts'
import { readOrders, writeOrders, type Order, type OrderStore } from '../core/orders.ts'

export interface OrderFileOptions {
  /** Made with mode 0600 when it is not there, and replaced as a whole. Only one process may use it. */
  readonly path: string
  readonly log: Log
}

const MAX_BYTES = 4 << 20

/**
 * Orders in a file, durable before a change resolves. When the disk does not take a change it holds in memory all the same, because it
 * protects, and the promise rejects. Throws Error for a file that is damaged: guessing which callers were revoked would be a yes.
 */
export const orderFile = async ({ path, log }: OrderFileOptions): Promise<OrderStore> => {
  let orders = await stored(path)
  const listeners: (() => void)[] = []
  let last: Promise<unknown> = Promise.resolve()
  const write = async (): Promise<void> => {
    try {
      await replaceFile(path, writeOrders(orders))
    } catch (cause) {
      log.error('orders_not_stored', { cause: cause as Error })
      throw new Error(`${path}: cannot be written (${(cause as NodeJS.ErrnoException).code ?? 'error'})`, {
        cause,
      })
    }
  }
  return {
    current: () => orders,
    unready: () => undefined,
    change: async (edit) => {
      const { orders: next, told } = edit(orders)
      if (next === orders) return told
      orders = next
      for (const listener of listeners) listener()
      const written = last.then(write, write)
      last = written.catch(() => undefined)
      await written
      return told
    },
    onChange: (listener) => void listeners.push(listener),
    close: async () => {
      await last
    },
  }
}

const stored = async (path: string): Promise<readonly Order[]> => {
  try {
    const bytes = await readFile(path)
    if (bytes.length > MAX_BYTES) throw new Error('it is too large')
    return readOrders(bytes)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Error(
      `${path}: the responses in force cannot be read (${(cause as Error).message}); restore the file, or delete it to give them all up`,
      { cause },
    )
  }
}

/** After a crash there is the old file or the new one, never a half. */
export const replaceFile = async (path: string, text: string | Uint8Array): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const next = `${path}.next`
  const file = await open(next, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(next, path)
}
