import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect } from '@jest/globals'
import { freePort } from '../../proxy/demo/free-port.ts'
import { startStandIn, type StandIn, type StandInOptions } from './elastic-stand-in.ts'
import { helmTest, template, type Manifest } from './helm.ts'
import { find, pick } from './manifests.ts'
import { chart } from './observability-cases.ts'

const render = (values: unknown): Promise<readonly Manifest[]> =>
  template(chart, { values, release: 'observability' })
const both = { elasticsearch: { enabled: true }, kibana: { enabled: true } }

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

const serve = async (options: StandInOptions): Promise<StandIn> => {
  const server = await startStandIn(options)
  opened.push(() => server.close())
  return server
}

interface Env {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef: { readonly key: string } }
}

interface Setup {
  readonly said: () => string
  readonly isReady: () => boolean
  readonly leftovers: () => readonly string[]
}

/** Runs what the container runs: command, files and names of variables are those of the chart; only addresses and folders differ. */
const run = async (of: 'elasticsearch' | 'kibana', url: string, values: unknown = both): Promise<Setup> => {
  const manifests = await render(values)
  const name = `observability-${of}`
  const folder = mkdtempSync(join(tmpdir(), 'postern-setup-'))
  const [files, scratch] = [join(folder, 'files'), join(folder, 'scratch')]
  for (const one of [files, scratch]) mkdirSync(one)
  for (const [file, text] of Object.entries(pick(find(manifests, 'ConfigMap', name), 'data') as object))
    writeFileSync(join(files, file), String(text))
  const containers = pick(find(manifests, 'Deployment', name), 'spec.template.spec.containers') as readonly {
    readonly name: string
    readonly command?: readonly string[]
    readonly env: readonly Env[]
  }[]
  const { command = [], env = [] } = containers.find((one) => one.name === 'setup') ?? {}
  const given = env.map(({ name, value, valueFrom }) => [name, value ?? `of-${valueFrom?.secretKeyRef.key}`])
  const ready = join(scratch, 'ready')
  const child = spawn(
    'sh',
    command.slice(1).map((part) => part.replace('/etc/setup', files)),
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        ...Object.fromEntries(given),
        ...{ URL: url, FILES: files, TMPDIR: scratch, PAUSE: '0.1', CHECK: '0.2' },
        ...(of === 'elasticsearch' && { READY: ready }),
      },
    },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  opened.push(async () => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  })
  return { said: () => said, isReady: () => existsSync(ready), leftovers: () => readdirSync(scratch) }
}

/** With the sleep that it waits for. */
const end = async (child: ChildProcess): Promise<void> => {
  if (child.pid === undefined || child.exitCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  process.kill(-child.pid, 'SIGKILL')
  await ended
}

const until = async (holds: () => boolean, why: () => string): Promise<void> => {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 1000) throw new Error(`not within 50 s: ${why()}`)
    await sleep(50)
  }
}

const elastic = { elastic: 'of-password' }
const PATHS = [
  '/_ilm/policy/postern-audit',
  '/_ilm/policy/postern-log',
  '/_index_template/postern-audit',
  '/_index_template/postern-log',
  '/_security/role/postern_fluentd',
  '/_security/user/postern_fluentd',
  '/_security/role/postern_grafana',
  '/_security/user/postern_grafana',
]
const KIBANA_PATHS = [
  '/_security/user/kibana_system/_password',
  '/_security/role/postern_objects',
  '/_security/user/postern_objects',
]

helmTest('Elasticsearch gets policies, templates and users, each once, and then lets others in', async () => {
  const server = await serve({ passwords: elastic })
  const setup = await run('elasticsearch', server.url)
  await until(setup.isReady, setup.said)
  expect(server.asked.map(({ path }) => path)).toEqual([...PATHS, ...KIBANA_PATHS])
  const kept = (path: string): unknown => JSON.parse(server.kept.get(path) ?? '')
  expect(kept('/_index_template/postern-audit')).toMatchObject({
    index_patterns: ['postern-audit'],
    data_stream: {},
  })
  expect(kept('/_security/user/postern_fluentd')).toEqual({
    password: 'of-fluentd-password',
    roles: ['postern_fluentd'],
  })
  expect(setup.leftovers()).toEqual(['ready'])
})

helmTest('no user that the chart makes may do more than it must, and none is the superuser', async () => {
  const server = await serve({ passwords: elastic })
  const setup = await run('elasticsearch', server.url)
  await until(setup.isReady, setup.said)
  const roles = [...server.kept].filter(([path]) => path.startsWith('/_security/role/'))
  expect(roles.map(([path, role]) => [path.split('/').at(-1), JSON.parse(role) as unknown])).toMatchSnapshot()
  const manifests = await render(both)
  const superuser = manifests.filter((one) => /"key":"password"/.test(JSON.stringify(pick(one, 'spec'))))
  expect(superuser.map(({ metadata }) => metadata.name)).toEqual([
    'observability-elasticsearch',
    'observability-grafana',
  ])
  // The administrator of Grafana, from its own Secret.
  expect(JSON.stringify(superuser.at(-1))).not.toMatch(/"observability-elasticsearch","key":"password"/)
})

helmTest('a second start changes nothing, and Kibana is left out where it is not installed', async () => {
  const server = await serve({ passwords: elastic })
  const values = { elasticsearch: { enabled: true } }
  const first = await run('elasticsearch', server.url, values)
  await until(first.isReady, first.said)
  const kept = new Map(server.kept)
  expect([...kept.keys()].sort()).toEqual([...PATHS].sort())
  const second = await run('elasticsearch', server.url, values)
  await until(second.isReady, second.said)
  expect(server.asked).toHaveLength(2 * PATHS.length)
  expect(server.kept).toEqual(kept)
})

helmTest('it waits for an Elasticsearch that is late', async () => {
  const port = await freePort()
  const setup = await run('elasticsearch', `http://127.0.0.1:${port}`)
  await until(() => setup.said().split('tried again').length > 3, setup.said)
  expect(setup.isReady()).toBe(false)
  const server = await serve({ passwords: elastic, port })
  await until(setup.isReady, setup.said)
  expect(server.asked).toHaveLength(PATHS.length + KIBANA_PATHS.length)
})

helmTest('what the server says is told, without passwords, and nobody is let in until it works', async () => {
  let broken = true
  const server = await serve({
    passwords: elastic,
    instead: ({ path, body }) =>
      broken && (path.startsWith('/_security/user') || path.startsWith('/_ilm'))
        ? { status: 503, body: `{"error":"not yet: ${body.replaceAll('"', '')}"}` }
        : undefined,
  })
  const setup = await run('elasticsearch', server.url)
  await until(() => setup.said().includes('PUT /_ilm/policy/postern-audit: status 503'), setup.said)
  expect(setup.said()).toContain('not yet: ')
  broken = false
  await until(() => server.kept.has('/_security/role/postern_fluentd'), setup.said)
  await until(setup.isReady, setup.said)
  expect(setup.said()).not.toMatch(/of-[a-z]+-password|of-password/)
})

helmTest('a refused password is told and tried again', async () => {
  const server = await serve({
    passwords: elastic,
    instead: ({ path, body }) =>
      path === '/_security/user/postern_fluentd' ? { status: 400, body } : undefined,
  })
  const setup = await run('elasticsearch', server.url)
  await until(() => setup.said().split('/_security/user/postern_fluentd: status 400').length > 2, setup.said)
  expect(setup.said()).not.toContain('of-fluentd-password')
  expect(setup.isReady()).toBe(false)
})

const objects = { postern_objects: 'of-objects-password' }

helmTest(
  'Kibana gets the saved objects, and again when they are gone, but is left alone otherwise',
  async () => {
    const server = await serve({ passwords: objects })
    const setup = await run('kibana', server.url)
    const checks = (): number => server.asked.filter(({ path }) => path.endsWith('/_export')).length
    const imports = (): number => server.asked.filter(({ path }) => path.includes('/_import')).length
    await until(() => checks() > 2, setup.said)
    expect(imports()).toBe(1)
    expect([...server.kept.keys()]).toEqual(
      expect.arrayContaining(['index-pattern/postern-audit', 'dashboard/postern-records']),
    )
    server.kept.clear()
    await until(() => imports() === 2, setup.said)
    await until(() => server.kept.has('dashboard/postern-records'), setup.said)
  },
)

helmTest('a Kibana that is not ready, or takes only some of the objects, is asked again', async () => {
  const answers = [
    { status: 503, body: '{"message":"Kibana server is not ready yet"}' },
    { status: 200, body: '{"successCount":1,"success":false,"errors":[{"id":"postern-log"}]}' },
  ]
  const server = await serve({ passwords: objects, instead: () => answers.shift() })
  const setup = await run('kibana', server.url)
  await until(() => setup.said().includes('Kibana has the saved objects'), setup.said)
  expect(setup.said()).toMatch(/import: status 503[^\n]*not ready yet/)
  expect(setup.said()).toMatch(/import: status 200[^\n]*"errors"/)
})
