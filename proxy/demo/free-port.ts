import { createServer, type AddressInfo, type Server } from 'node:net'

/** So many different ports of loopback on which nobody listened just now. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(Array.from({ length: count }, listening))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

export const freePort = async (): Promise<number> => (await freePorts(1))[0] ?? 0

const listening = (): Promise<Server> =>
  new Promise((done, fail) => {
    const server = createServer().once('error', fail)
    server.listen(0, '127.0.0.1', () => done(server))
  })
