import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const build = fileURLToPath(new URL('../../../../policies/build.mjs', import.meta.url))

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
  close(): Promise<void>
}

/** An OPA server on a Unix socket with the default policies, from the bundle that an operator would build for it. */
export const realOpa = async (opa: string): Promise<RealOpa> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-opa-'))
  const bundle = join(folder, 'bundle.tar.gz')
  execFileSync(process.execPath, [build, '--bundle', bundle, '--rego'], { stdio: 'ignore' })
  const socket = join(folder, 'opa.sock')
  const child = spawn(
    opa,
    ['run', '--server', '--disable-telemetry', '--addr', `unix://${socket}`, '-b', bundle],
    {
      stdio: 'ignore',
    },
  )
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  for (let tries = 0; !(await accepts(socket)); tries++) {
    if (tries > 300 || child.exitCode !== null) {
      await close()
      throw new Error('OPA did not start')
    }
    await sleep(50)
  }
  return { url: `unix:${socket}`, close }
}

const accepts = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** A `.tar.gz` made by the system's tar, as an operator would make one. */
export const tarGz = (folder: string, archive: string, ...files: readonly string[]): void => {
  execFileSync('tar', ['--format=ustar', '-czf', archive, '-C', folder, ...files])
}
