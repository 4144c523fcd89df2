import { spawn, execFileSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { startVulnerableModel, VULNERABLE } from '../attack/model.ts'

export interface Demo {
  readonly guardUrl: string
  readonly adminUrl: string
  readonly modelUrl: string
  readonly configFile: string
  readonly auditFile: string
  /** An API key that the guard takes. Its caller may use every tool, so that what stops an attack is its content. */
  readonly key: string
  readonly model: string
}

const POSTERN = resolve(import.meta.dirname, '../../../proxy/src/cli.ts')
const READY_MS = 120_000

/** A guard as users start it, on its built-in rules and policies, before the vulnerable model; gone when `use` has ended. */
export const withDemo = async <T>(use: (demo: Demo) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sec-'))
  const model = await startVulnerableModel()
  let guard: ChildProcess | undefined
  try {
    const ports = { data: await freePort(), admin: await freePort() }
    const made = JSON.parse(
      execFileSync(process.execPath, [POSTERN, 'token', 'key', '--json'], { encoding: 'utf8' }),
    ) as { key: string; hash: string }
    const entry = { hash: made.hash, subject: 'red-team', tenant: 'security', roles: ['admin'] }
    writeFileSync(join(folder, 'keys.yaml'), stringify([entry]))
    const configFile = join(folder, 'postern.yaml')
    const auditFile = join(folder, 'audit.log')
    writeFileSync(configFile, stringify(configOf({ folder, ports, modelUrl: model.url, auditFile })))
    guard = spawn(process.execPath, [POSTERN, 'serve', configFile], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const adminUrl = `http://127.0.0.1:${ports.admin}`
    await ready(guard, adminUrl)
    return await use({
      guardUrl: `http://127.0.0.1:${ports.data}`,
      adminUrl,
      modelUrl: model.url,
      configFile,
      auditFile,
      key: made.key,
      model: VULNERABLE,
    })
  } finally {
    await ended(guard)
    await model.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Places {
  readonly folder: string
  readonly ports: { readonly data: number; readonly admin: number }
  readonly modelUrl: string
  readonly auditFile: string
}

const configOf = ({ folder, ports, modelUrl, auditFile }: Places) => ({
  server: { listen: { host: '127.0.0.1', port: ports.data }, drain: { grace: '0s', deadline: '2s' } },
  admin: { port: ports.admin },
  identity: { apiKeys: { file: join(folder, 'keys.yaml') } },
  upstreams: [{ name: 'model', url: modelUrl }],
  models: [{ name: VULNERABLE, targets: [{ upstream: 'model' }] }],
  audit: { file: auditFile },
  telemetry: { log: { level: 'error' } },
})

const ready = async (child: ChildProcess, adminUrl: string): Promise<void> => {
  for (const until = Date.now() + READY_MS; Date.now() < until;) {
    if (child.exitCode !== null) throw new Error('the guard did not start; its message stands above')
    const status = await fetch(`${adminUrl}/readyz`).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`the guard was not ready within ${READY_MS / 1000} s`)
}

const ended = async (child: ChildProcess | undefined): Promise<void> => {
  if (child === undefined || child.exitCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(late)
}

const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })
