import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { hashPassword } from '../src/identity/password.ts'
import { MODELS, startModel, type DemoModel } from './model.ts'

/** A guard with its embedded defaults in front of the demo model, as a stranger would start it. */
export interface Site {
  readonly url: string
  readonly adminUrl: string
  readonly folder: string
  readonly auditFile: string
  readonly configFile: string
  readonly model: DemoModel
  /** Settles when the guard has ended by itself. */
  readonly ended: Promise<number | null>
  login(name: 'alice' | 'guest'): Promise<string>
  close(): Promise<void>
}

const CLI = resolve(import.meta.dirname, '../src/cli.ts')

export interface SiteOptions {
  readonly port?: number
  readonly paceMs?: number
}

export const startSite = async ({ port, paceMs = 5 }: SiteOptions = {}): Promise<Site> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-demo-'))
  const model = await startModel({ paceMs })
  const ports = { data: port ?? (await freePort()), admin: await freePort() }
  const password = randomBytes(12).toString('hex')
  writeFileSync(join(folder, 'users.yaml'), await usersFile(password))
  const configFile = join(folder, 'postern.yaml')
  const auditFile = join(folder, 'audit.log')
  writeFileSync(configFile, demoConfig({ folder, ports, modelUrl: model.url, auditFile }))
  const child = spawn(process.execPath, [CLI, 'serve', configFile], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  const url = `http://127.0.0.1:${ports.data}`
  const adminUrl = `http://127.0.0.1:${ports.admin}`
  await ready(child, adminUrl)
  return {
    url,
    adminUrl,
    folder,
    auditFile,
    configFile,
    model,
    ended,
    login: (name) => login(url, name, password),
    close: async () => {
      child.kill('SIGTERM')
      await ended
      await model.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface DemoConfig {
  readonly folder: string
  readonly ports: { readonly data: number; readonly admin: number }
  readonly modelUrl: string
  readonly auditFile: string
}

const demoConfig = ({ folder, ports, modelUrl, auditFile }: DemoConfig): string => `server:
  listen: { host: 127.0.0.1, port: ${ports.data} }
admin: { port: ${ports.admin} }
identity:
  local: { issuer: https://demo.postern.example, audience: postern, usersFile: ${folder}/users.yaml }
upstreams:
  - { name: demo, url: '${modelUrl}' }
models:
${MODELS.map((name) => `  - { name: ${name}, targets: [{ upstream: demo }] }`).join('\n')}
defaultModel: ${MODELS[0]}
audit: { file: ${auditFile} }
telemetry: { log: { level: warn } }
`

const usersFile = async (password: string): Promise<string> => {
  const hash = await hashPassword(password)
  return `- { name: alice, password: '${hash}', tenant: demo, roles: [user] }
- { name: guest, password: '${hash}', tenant: demo, roles: [] }
`
}

const login = async (url: string, username: string, password: string): Promise<string> => {
  const response = await fetch(`${url}/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
  if (response.status !== 200) throw new Error(`login of ${username} answered ${response.status}`)
  return ((await response.json()) as { access_token: string }).access_token
}

const ready = async (child: ChildProcess, adminUrl: string): Promise<void> => {
  for (const until = Date.now() + 15_000; Date.now() < until;) {
    if (child.exitCode !== null) throw new Error('the guard did not start; its message stands above')
    const status = await fetch(`${adminUrl}/readyz`).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((done) => setTimeout(done, 20))
  }
  child.kill('SIGKILL')
  throw new Error('the guard was not ready within 15 s')
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
