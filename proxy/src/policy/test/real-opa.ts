import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const policies = fileURLToPath(new URL('../../../../policies', import.meta.url))

/** Where the real OPA is; undefined when it is not on this machine. */
export const opaPath = (): string | undefined =>
  [
    ...(process.env.PATH ?? '').split(':'),
    join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin'),
    join(homedir(), 'go', 'bin'),
  ]
    .map((place) => join(place, 'opa'))
    .find((path) => existsSync(path))

export interface RealOpa {
  readonly url: string
  /** Stops the process; start again with the same address. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** An OPA server with the default policies and this revision. */
export const realOpa = async (opa: string, listen: 'tcp' | 'unix', revision: string): Promise<RealOpa> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-opa-'))
  const bundle = join(folder, 'bundle')
  cpSync(join(policies, 'postern'), join(bundle, 'postern'), {
    recursive: true,
    filter: (path) => !path.endsWith('_test.rego'),
  })
  cpSync(join(policies, 'data.json'), join(bundle, 'data.json'))
  const roots = ['postern', 'roles', 'tenants', 'tools', 'model_routes', 'actions', 'limits']
  writeFileSync(join(bundle, '.manifest'), JSON.stringify({ revision, roots }))
  const socket = join(folder, 'opa.sock')
  const port = await freePort()
  const [address, url, target] =
    listen === 'unix'
      ? [`unix://${socket}`, `unix:${socket}`, { path: socket }]
      : [`127.0.0.1:${port}`, `http://127.0.0.1:${port}`, { port, host: '127.0.0.1' }]
  let stop: () => Promise<void> = () => Promise.resolve()

  const start = async (): Promise<void> => {
    const child = spawn(opa, ['run', '--server', '--disable-telemetry', '--addr', address, '-b', bundle], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    stop = async () => {
      child.kill('SIGKILL')
      await ended
      rmSync(socket, { force: true })
    }
    for (let tries = 0; !(await accepts(target)); tries++) {
      if (tries > 300 || child.exitCode !== null) throw new Error('OPA did not start')
      await sleep(50)
    }
  }
  await start()
  return {
    url,
    start,
    stop: () => stop(),
    close: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const accepts = (target: { path: string } | { port: number; host: string }): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(target)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A `.tar.gz` made by the system's tar, as an operator would make one. */
export const tarGz = (folder: string, archive: string, ...files: readonly string[]): void => {
  execFileSync('tar', ['--format=ustar', '-czf', archive, '-C', folder, ...files])
}
