import type { Socket } from 'node:net'
import type { Meter } from '../core/metrics.ts'
import type { ServerLimits } from './limits.ts'

/** What is known of one client connection. Exchanges on it run one after the other. */
export interface Connection {
  readonly socket: Socket
  /** `performance.now()`. */
  readonly bornAt: number
  /** The answer of the exchange in progress; undefined between exchanges. */
  current: { readonly begun: boolean } | undefined
  /** When all of the current answer had been given to the socket; 0 before. */
  endedAt: number
  /** Pipelined requests that wait for their turn. */
  readonly waiting: (() => void)[]
  /** Close with the next answer: the connection is too old, or its certificate was judged by material that is gone. */
  retired: boolean
  /** End it when the current answer is over, although that did not announce it. */
  ending: boolean
  /** An error answer was written below HTTP: nothing may follow. */
  dead: boolean
}

export interface Connections {
  /** Counts a socket that was just accepted. False when there are too many: it was destroyed. */
  admit(socket: Socket): boolean
  /** The state of the socket that carries HTTP: the TLS socket of a TLS connection. */
  of(socket: Socket): Connection
  /**
   * Closes connections with the next answer that begins, which says so: one that ends without a word loses the request that its client
   * is sending. Those that `atOnce` picks end now or with the answer that runs, all the same.
   */
  retire(atOnce: (socket: Socket) => boolean): void
  destroyAll(): void
  readonly size: number
  /** Stops the periodic check. */
  stop(): void
}

/** Bounds connections in number, per address and in age, and cuts those whose client does not read its answer. */
export const connections = (limits: ServerLimits, meter: Meter): Connections => {
  const accepted = new Set<Socket>()
  const perAddress = new Map<string, number>()
  const speaking = new Map<Socket, Connection>()
  const sweep = setInterval(() => {
    checkAll(speaking, limits)
  }, limits.checkIntervalMs)
  sweep.unref()

  const leave = (socket: Socket, address: string): void => {
    accepted.delete(socket)
    const left = (perAddress.get(address) ?? 1) - 1
    if (left > 0) perAddress.set(address, left)
    else perAddress.delete(address)
    meter.add('postern_connections', -1)
  }

  return {
    admit(socket) {
      const address = network(socket.remoteAddress ?? '')
      const held = perAddress.get(address) ?? 0
      if (held >= limits.connectionsPerAddress || accepted.size >= limits.connections) {
        socket.destroy()
        return false
      }
      accepted.add(socket)
      perAddress.set(address, held + 1)
      meter.add('postern_connections', 1)
      socket.once('close', () => leave(socket, address))
      return true
    },
    of(socket) {
      const known = speaking.get(socket)
      if (known !== undefined) return known
      const fresh = newConnection(socket)
      // The first byte came: from here on the timers of node:http count.
      socket.setTimeout(0)
      speaking.set(socket, fresh)
      socket.once('close', () => speaking.delete(socket))
      return fresh
    },
    retire(atOnce) {
      for (const connection of speaking.values()) {
        connection.retired = true
        connection.ending ||= atOnce(connection.socket)
        if (connection.current === undefined && connection.ending) connection.socket.end()
      }
    },
    destroyAll() {
      for (const socket of speaking.keys()) socket.destroy()
      for (const socket of accepted) socket.destroy()
    },
    get size() {
      return accepted.size
    },
    stop: () => clearInterval(sweep),
  }
}

/** An IPv6 customer has a whole /64 to connect from; an IPv4 address may be written as an IPv6 one. */
export const network = (address: string): string => {
  if (address.startsWith('::ffff:')) return address.slice(7)
  if (!address.includes(':')) return address
  const [left = '', right] = address.split('::', 2)
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  return [...head, ...Array<string>(zeros).fill('0'), ...tail].slice(0, 4).join(':')
}

const newConnection = (socket: Socket): Connection => ({
  socket,
  bornAt: performance.now(),
  current: undefined,
  endedAt: 0,
  waiting: [],
  retired: false,
  ending: false,
  dead: false,
})

const checkAll = (all: ReadonlyMap<Socket, Connection>, limits: ServerLimits): void => {
  const now = performance.now()
  for (const connection of all.values()) {
    // A client may be sending on an idle one at this moment; left alone it ends by its keep-alive.
    if (now - connection.bornAt > limits.connectionAgeMs) connection.retired = true
    if (connection.endedAt > 0 && now - connection.endedAt > limits.writeStallMs) connection.socket.destroy()
  }
}
