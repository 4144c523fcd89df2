import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Start } from './processes.ts'

export interface BenchTarget {
  readonly name: string
  readonly start: Start
  readonly headers: Readonly<Record<string, string>>
}

export interface BenchSite {
  /** Working folder for configurations and logs. */
  readonly folder: string
  /** Port of the model server. */
  readonly model: number
  /** Port that the target shall take. */
  readonly port: number
}

const HERE = import.meta.dirname

export const bareProxy = ({ model, port }: BenchSite): BenchTarget => ({
  name: 'bare Node proxy',
  headers: {},
  start: {
    command: process.execPath,
    args: [join(HERE, 'bare-proxy.ts'), String(port), String(model)],
    port,
  },
})

/** Undefined when there is no nginx on this machine. */
export const nginx = ({ folder, model, port }: BenchSite): BenchTarget | undefined => {
  const binary = ['/usr/sbin/nginx', '/usr/bin/nginx'].find(existsSync)
  if (!binary) return undefined
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? 'user root; ' : ''}daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 1024; }
http { access_log off; ${temporary.join(' ')}
  upstream model { server 127.0.0.1:${model}; keepalive 256; }
  server { listen 127.0.0.1:${port};
    location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }
`,
  )
  return {
    name: 'nginx',
    headers: {},
    start: { command: binary, args: ['-c', file, '-e', `${folder}/nginx.log`], port },
  }
}

const PORTKEY = '@portkey-ai/gateway@1.15.2'

/** Portkey's gateway with checks of its default plug-ins on both sides. Undefined when the package cannot be installed. */
export const portkey = ({ model, port }: BenchSite): BenchTarget | undefined => {
  const home = resolve(HERE, '../../.cache/portkey')
  const script = join(home, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  if (!existsSync(script)) {
    mkdirSync(home, { recursive: true })
    try {
      execFileSync(
        'npm',
        ['install', '--prefix', home, '--no-audit', '--no-fund', '--ignore-scripts', PORTKEY],
        { stdio: 'ignore' },
      )
    } catch {
      return undefined
    }
  }
  const checks = [
    { 'default.regexMatch': { rule: 'AKIA[0-9A-Z]{16}', not: true }, deny: true },
    { 'default.contains': { operator: 'none', words: ['ignore all previous instructions'] }, deny: true },
    { 'default.characterCount': { minCharacters: 0, maxCharacters: 1_000_000 }, deny: true },
  ]
  const config = {
    provider: 'openai',
    custom_host: `http://127.0.0.1:${model}/v1`,
    input_guardrails: checks,
    output_guardrails: checks,
  }
  return {
    name: 'Portkey, its default guardrails',
    headers: { authorization: 'Bearer bench', 'x-portkey-config': JSON.stringify(config) },
    start: { command: process.execPath, args: [script, `--port=${port}`, '--headless'], port },
  }
}

/** The guard with everything on: API keys, all scanners, Wasm policy, limits, audit with fsync, metrics. */
export const postern = ({ folder, model, port }: BenchSite): BenchTarget => {
  // What the image runs, with its flags; stripping types at start costs time and memory that no deployment pays.
  const cli = resolve(HERE, '../dist/cli.js')
  const [key = '', hash = ''] = JSON.parse(
    execFileSync(process.execPath, [cli, 'token', 'key', '--json'], { encoding: 'utf8' }).replace(
      /^.*"key":\s*("[^"]+").*"hash":\s*("[^"]+").*$/s,
      '[$1,$2]',
    ),
  ) as string[]
  writeFileSync(
    join(folder, 'keys.yaml'),
    `- { hash: '${hash}', subject: bench, tenant: bench, roles: [admin] }\n`,
  )
  writeFileSync(join(folder, 'data.json'), JSON.stringify(unlimited()))
  const file = join(folder, 'postern.yaml')
  writeFileSync(
    file,
    `server: { listen: { host: 127.0.0.1, port: ${port} } }
admin: { port: ${port + 1} }
identity: { apiKeys: { file: ${join(folder, 'keys.yaml')} } }
upstreams: [{ name: model, url: 'http://127.0.0.1:${model}' }]
models: [{ name: bench, targets: [{ upstream: model }] }]
policy: { dataFile: ${join(folder, 'data.json')} }
audit: { file: ${join(folder, 'audit.log')} }
telemetry: { log: { level: warn } }
`,
  )
  return {
    name: 'Postern, everything on',
    headers: { authorization: `Bearer ${key}` },
    start: { command: process.execPath, args: [...imageFlags(), cli, 'serve', file], port },
  }
}

const imageFlags = (): readonly string[] => {
  const dockerfile = readFileSync(resolve(HERE, '../../Dockerfile'), 'utf8')
  const entrypoint = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
  return entrypoint.slice(1, -1)
}

/** The default policy data, with rates that a benchmark does not reach: counting goes on, refusing does not. */
const unlimited = (): unknown => {
  const data = JSON.parse(readFileSync(resolve(HERE, '../../policies/data.json'), 'utf8')) as {
    limits: { roles: Record<string, object>; tenants: Record<string, object> }
  }
  const rates = { requests_per_second: 1e6, concurrency: 1e5, tokens_per_minute: 1e12 }
  data.limits.roles['admin'] = rates
  data.limits.tenants['*'] = rates
  return data
}
