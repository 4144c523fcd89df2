import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashPassword } from '../src/identity/password.ts'
import { freePort } from './free-port.ts'
import { startGuardProcess } from './guard-process.ts'
import { MODELS, startModel, type DemoModel } from './model.ts'
import { closing, type Closing } from './opened.ts'

/** A guard with its embedded defaults in front of the demo model, as a stranger would start it. */
export interface Site extends Closing {
  readonly url: string
  readonly adminUrl: string
  readonly folder: string
  readonly auditFile: string
  readonly configFile: string
  readonly model: DemoModel
  /** Settles when the guard has ended by itself. */
  readonly ended: Promise<number | null>
  login(name: 'alice' | 'guest'): Promise<string>
}

export interface SiteOptions {
  readonly port?: number
  readonly paceMs?: number
}

export const startSite = ({ port, paceMs = 5 }: SiteOptions = {}): Promise<Site> =>
  closing(async (opened) => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-demo-'))
    opened.push(() => rmSync(folder, { recursive: true, force: true }))
    const model = await startModel({ paceMs })
    opened.push(() => model.close())
    const ports = { data: port ?? (await freePort()), admin: await freePort() }
    const password = randomBytes(12).toString('hex')
    writeFileSync(join(folder, 'users.yaml'), await usersFile(password))
    const configFile = join(folder, 'postern.yaml')
    const auditFile = join(folder, 'audit.log')
    writeFileSync(configFile, demoConfig({ folder, ports, modelUrl: model.url, auditFile }))
    const url = `http://127.0.0.1:${ports.data}`
    const adminUrl = `http://127.0.0.1:${ports.admin}`
    const guard = await startGuardProcess(configFile, adminUrl)
    opened.push(() => guard.close())
    return {
      ...{ url, adminUrl, folder, auditFile, configFile, model },
      ended: guard.ended,
      login: (name) => login(url, name, password),
    }
  })

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
