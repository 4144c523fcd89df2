import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../../../proxy/demo/free-port.ts'
import { POSTERN, startGuardProcess } from '../../../proxy/demo/guard-process.ts'
import { closing } from '../../../proxy/demo/opened.ts'
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

/** A guard as users start it, on its built-in rules and policies, before the vulnerable model; gone when `use` has ended. */
export const withDemo = async <T>(use: (demo: Demo) => Promise<T>): Promise<T> => {
  const { close, ...demo } = await closing(start)
  try {
    return await use(demo)
  } finally {
    await close()
  }
}

const start = async (opened: (() => unknown)[]): Promise<Demo> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sec-'))
  opened.push(() => rmSync(folder, { recursive: true, force: true }))
  const model = await startVulnerableModel()
  opened.push(() => model.close())
  const ports = { data: await freePort(), admin: await freePort() }
  const made = JSON.parse(
    execFileSync(process.execPath, [POSTERN, 'token', 'key', '--json'], { encoding: 'utf8' }),
  ) as { key: string; hash: string }
  const entry = { hash: made.hash, subject: 'red-team', tenant: 'security', roles: ['admin'] }
  writeFileSync(join(folder, 'keys.yaml'), stringify([entry]))
  const configFile = join(folder, 'postern.yaml')
  const auditFile = join(folder, 'audit.log')
  writeFileSync(configFile, stringify(configOf({ folder, ports, modelUrl: model.url, auditFile })))
  const adminUrl = `http://127.0.0.1:${ports.admin}`
  const guard = await startGuardProcess(configFile, adminUrl)
  opened.push(() => guard.close())
  return {
    ...{ adminUrl, configFile, auditFile },
    guardUrl: `http://127.0.0.1:${ports.data}`,
    modelUrl: model.url,
    key: made.key,
    model: VULNERABLE,
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
