import { setTimeout as sleep } from 'node:timers/promises'
import { pooled, single, type UpstreamChanges } from './models.ts'
import { json, rawServer, type Answer } from './rawServer.ts'

const closing: (() => Promise<unknown>)[] = []

/** For afterEach. */
export const closeAll = async (): Promise<void> => {
  while (closing.length > 0) await closing.pop()?.()
}

export const serve = async (answer: Answer) => {
  const server = await rawServer(answer)
  closing.push(server.close)
  return server
}

export const against = async (answer: Answer, changes: UpstreamChanges = {}) => {
  const server = await serve(answer)
  const pool = single(server.url, changes)
  closing.push(() => pool.models.close())
  return { server, ...pool }
}

export const several = (options: Parameters<typeof pooled>[0]) => {
  const pool = pooled(options)
  closing.push(() => pool.models.close())
  return pool
}

export const named = (name: string): Answer => {
  return (socket) => socket.write(json(JSON.stringify({ name })))
}

/** An address where nobody listens. */
export const deadUrl = async (): Promise<string> => {
  const server = await rawServer(() => undefined)
  await server.close()
  return server.url
}

export const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 1500) throw new Error('it never became true')
    await sleep(10)
  }
}
