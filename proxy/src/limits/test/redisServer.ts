import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'

/** False where there is no redis-server. A CI that lacks it must fail, not skip: then this throws. */
export const hasRedis = (): boolean => {
  const found = spawnSync('redis-server', ['--version']).status === 0
  if (!found && process.env['CI'] === 'true')
    throw new Error('CI needs redis-server: apt-get install redis-server')
  return found
}

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Stops its answers without closing its connections. */
  pause(): void
  resume(): void
  kill(): Promise<void>
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>
}

/** The setting `PORT` stands for the port that is chosen. */
export const startRedis = async (...settings: readonly string[]): Promise<RedisServer> => {
  const [port, first] = await launchOnce(settings)
  let child = first
  const url = `redis://127.0.0.1:${port}`
  return {
    url,
    port,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => end(child),
    restart: async () => {
      child = await launch(port, settings)
    },
  }
}

/** On a port of its own; what was free a moment ago may be taken by now, so it is tried three times. */
const launchOnce = async (settings: readonly string[]): Promise<[number, ChildProcess]> => {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort()
    try {
      return [port, await launch(port, settings)]
    } catch (error) {
      if (tries === 3) throw error
    }
  }
}

const launch = async (port: number, settings: readonly string[]): Promise<ChildProcess> => {
  const ports = settings.includes('--tls-port') ? ['--port', '0'] : ['--port', String(port)]
  const fixed = [...ports, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const its = settings.map((each) => (each === 'PORT' ? String(port) : each))
  const child = spawn('redis-server', [...fixed, ...its], { stdio: 'ignore' })
  for (let tries = 0; tries < 600 && child.exitCode === null; tries += 1) {
    if (await answers(port, settings)) return child
    await sleep(25)
  }
  child.kill('SIGKILL')
  throw new Error('redis-server did not start')
}

const answers = async (port: number, settings: readonly string[]): Promise<boolean> => {
  if (settings.includes('--tls-port')) return isOpen(port)
  const password = settings[settings.indexOf('--requirepass') + 1]
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    ...(settings.includes('--requirepass') && password !== undefined ? { password } : {}),
    socket: { reconnectStrategy: false },
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.ping()
    return true
  } catch {
    return false
  } finally {
    if (client.isOpen) client.destroy()
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('no port'))
      })
    })
  })
