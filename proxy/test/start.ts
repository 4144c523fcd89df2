import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { startModel, type DemoModel } from '../demo/model.ts'
import type { Script } from '../demo/script.ts'
import { startGuard, type RunningGuard } from '../src/compose.ts'
import { readConfig } from '../src/config/read-config.ts'
import type { Config } from '../src/config/schema.ts'
import type { LogFields } from '../src/core/log.ts'
import { newApiKey } from '../src/identity/api-key.ts'

export type RoleName = 'user' | 'developer' | 'service' | 'admin' | 'nobody'

export interface Line {
  readonly type: string
  readonly id: string
  readonly route: string
  readonly outcome: string
  readonly status: number
  readonly reasons: readonly string[]
  readonly caller: { readonly subject: string } | null
  readonly policy: { readonly engine: string }
  readonly findings: readonly {
    readonly rule: string
    readonly action: string
    readonly path: string
    readonly direction: string
  }[]
  readonly texts: readonly { readonly path: string; readonly sha256: string; readonly direction: string }[]
  readonly tokens: { readonly input: number; readonly output: number } | null
}

export interface TestGuard {
  readonly url: string
  readonly adminUrl: string
  readonly model: DemoModel
  readonly keys: Readonly<Record<RoleName, string>>
  readonly folder: string
  readonly auditFile: string
  readonly running: RunningGuard
  readonly config: (more?: object) => Config
  /** Everything that was logged, as text. */
  readonly logged: () => string
  /** Audit lines so far; waits until no exchange is open. */
  records(): Promise<readonly Line[]>
  close(): Promise<void>
}

export interface TestGuardOptions {
  readonly script?: Script
  /** Merged over the configuration, section by section. */
  readonly config?: object
  /** Instead of the demo model. */
  readonly upstream?: string
}

const ROLES: readonly RoleName[] = ['user', 'developer', 'service', 'admin', 'nobody']

/** The whole guard on real sockets in front of the demo model, with one API key per role. */
export const startTestGuard = async (options: TestGuardOptions = {}): Promise<TestGuard> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-test-'))
  const model = await startModel(options.script ? { script: options.script } : {})
  const made = ROLES.map((role) => ({ role, ...newApiKey() }))
  const entries = made.map(({ role, hash }) => ({
    hash,
    subject: `${role}-1`,
    tenant: 'acme',
    roles: role === 'nobody' ? [] : [role],
  }))
  writeFileSync(join(folder, 'keys.yaml'), stringify(entries))
  const auditFile = join(folder, 'audit.log')
  const base = {
    server: { listen: { host: '127.0.0.1', port: 0 }, drain: { grace: '0s', deadline: '2s' } },
    admin: { port: 0 },
    identity: { apiKeys: { file: join(folder, 'keys.yaml') } },
    upstreams: [{ name: 'demo', url: options.upstream ?? model.url }],
    models: [
      { name: 'demo-small', targets: [{ upstream: 'demo' }] },
      { name: 'demo-large', targets: [{ upstream: 'demo', model: 'large-at-upstream' }] },
    ],
    audit: { file: auditFile },
  }
  const config = (more: object = {}): Config => {
    const given: { readonly audit?: object } = { ...options.config, ...more }
    const audit = { ...base.audit, ...given.audit }
    return readConfig(stringify({ ...base, ...given, audit }), {
      file: 'test.yaml',
      env: process.env,
      readFile: (path) => readFileSync(path, 'utf8'),
    })
  }
  const lines: string[] = []
  const write = (level: string) => (event: string, fields?: LogFields) => {
    const cause = fields?.['cause'] instanceof Error ? String(fields['cause'].stack) : ''
    lines.push(`${level} ${event} ${JSON.stringify(fields ?? {})} ${cause}`)
  }
  const log = { info: write('info'), warn: write('warn'), error: write('error') }
  const running = await startGuard(config(), { log }).catch(async (error: unknown) => {
    await model.close()
    throw error
  })
  return {
    url: `http://127.0.0.1:${running.port}`,
    adminUrl: `http://127.0.0.1:${running.adminPort}`,
    model,
    keys: Object.fromEntries(made.map(({ role, key }) => [role, key])) as Record<RoleName, string>,
    folder,
    auditFile,
    running,
    config,
    logged: () => lines.join('\n'),
    records: () => settledRecords(auditFile, `http://127.0.0.1:${running.adminPort}`),
    close: async () => {
      await running.server.close(0)
      await running.close()
      await model.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A client has its answer before the log has the record, and of a caller who is not known the log holds no beginning. */
const settledRecords = async (file: string, adminUrl: string): Promise<readonly Line[]> => {
  for (let tries = 0; ; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const over = await exchangesOver(adminUrl)
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    const exchanges = lines.filter(({ type }) => type === 'exchange')
    const ended = new Set(exchanges.map(({ id }) => id))
    const open = lines.filter(({ type, id }) => type === 'begin' && !ended.has(id))
    const judged = exchanges.filter(({ policy }) => policy.engine !== '')
    if ((open.length === 0 && over !== undefined && judged.length >= over) || tries > 300) return exchanges
  }
}

/** How many there were; undefined while one is under way. Requests that reach no handler are not among them. */
const exchangesOver = async (adminUrl: string): Promise<number | undefined> => {
  const text = await fetch(`${adminUrl}/metrics`).then((answer) => answer.text())
  if (!/^postern_in_flight 0$/m.test(text) && /^postern_in_flight /m.test(text)) return undefined
  return [...text.matchAll(/^postern_requests_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
}
