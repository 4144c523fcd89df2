import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { opa, running, type Running, type Seen } from './reconcilers.ts'

let a: Running
beforeAll(async () => {
  a = await running()
}, 60_000)
afterAll(() => a.close())

const REVISION = 'postern.dev/revision'
const STATUS = 'openpolicyagent.org/kube-mgmt-status'

const bundle = (): Promise<Seen | undefined> => a.get('configmap', 'postern-bundle', '-n', a.home)
const revision = async (): Promise<string | undefined> => (await bundle())?.metadata.annotations?.[REVISION]
const status = async (name: string): Promise<Status> => {
  const found = await a.get('configmap', name, '-n', a.home)
  return JSON.parse(found?.metadata.annotations?.[STATUS] ?? '{}') as Status
}
interface Status {
  readonly status?: string
  readonly revision?: string
  readonly error?: { readonly code: string; readonly message: string }
}

const policy = (
  name: string,
  kind: 'data: opa' | 'policy: rego',
  values: Record<string, string>,
): Promise<string> =>
  a.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: a.home,
        labels: { [`openpolicyagent.org/${kind.split(': ')[0] ?? ''}`]: kind.split(': ')[1] },
      },
      data: values,
    }),
  )
const data = (name: string, value: unknown): Promise<string> =>
  policy(name, 'data: opa', { 'data.json': typeof value === 'string' ? value : JSON.stringify(value) })

test('without a policy ConfigMap the built-in policy is the bundle, and it is served', async () => {
  await a.until(revision)
  const served = await a.until(() => Promise.resolve(a.reconcilers.bundle.current()))
  expect(served.revision).toBe(await revision())
  expect(served.etag).toMatch(/^"[0-9a-f]{32}"$/)
  expect(a.reconcilers.unready()).toBeUndefined()
  expect((await bundle())?.metadata.ownerReferences?.[0]?.name).toBe(a.owner)
})

test('a ConfigMap with data changes the bundle, wakes who waits for it, and says so on itself', async () => {
  const before = await a.until(revision)
  const waked = a.reconcilers.bundle.changed(AbortSignal.timeout(20_000))
  await data('limits', { limits: { roles: { user: { burst: 7 } } } })
  await waked
  expect(a.reconcilers.bundle.current()?.revision).not.toBe(before)
  const said = await a.until(async () => (await status('limits')).revision && status('limits'))
  expect(said).toEqual({ status: 'ok', revision: await revision() })
  expect(await a.until(async () => (await a.events(a.home, 'limits'))[0])).toMatch(/^PolicyApplied: In force/)
})

test('a broken one leaves the bundle as it is, and tells key and line; others wait with it', async () => {
  const before = await a.until(revision)
  await data('broken', '{\n  "limits": {"roles": {"user": {"brust": 1}}}\n}')
  const said = await a.until(async () => (await status('broken')).error)
  expect(said).toEqual({
    code: 'data_invalid',
    message: 'key data.json, line 2: /limits/roles/user/brust is not known here; look for a misspelling',
  })
  expect([await a.until(async () => (await a.events(a.home, 'broken'))[0])]).toEqual([
    expect.stringMatching(/^PolicyRejected: Key data\.json, line 2.*The policy in force stays \(revision/),
  ])
  await data('waiting', { tools: { not_allowed: 'remove' } })
  const held = await a.until(async () => (await status('waiting')).error)
  expect(held).toMatchObject({
    code: 'held',
    message: expect.stringContaining('ConfigMap broken is refused'),
  })
  expect(await status('limits')).toEqual({ status: 'ok', revision: before })
  expect(await revision()).toBe(before)

  await a.kubectl(['-n', a.home, 'delete', 'configmap', 'broken'])
  await a.until(async () => (await status('waiting')).status === 'ok')
  expect(await revision()).not.toBe(before)
})

test('a changed or deleted bundle is put back', async () => {
  const before = await a.until(revision)
  await a.kubectl(['-n', a.home, 'delete', 'configmap', 'postern-bundle'])
  await a.until(async () => (await revision()) === before)
  expect(a.reconcilers.bundle.current()?.revision).toBe(before)
  const patch = '{"binaryData":{"postern.tar.gz":"eA=="}}'
  await a.kubectl(['-n', a.home, 'patch', 'configmap', 'postern-bundle', '--type=merge', '-p', patch])
  const size = async (): Promise<number> => {
    const found = (await bundle()) as { binaryData?: Record<string, string> } | undefined
    return found?.binaryData?.['postern.tar.gz']?.length ?? 0
  }
  await a.until(async () => (await size()) > 1000)
})

test('a new key signs the policy in force again', async () => {
  const before = await a.until(revision)
  const { etag } = await a.until(() => Promise.resolve(a.reconcilers.bundle.current()))
  const waked = a.reconcilers.bundle.changed(AbortSignal.timeout(20_000))
  a.rotate('second CA\n')
  await waked
  expect(a.reconcilers.bundle.current()?.etag).not.toBe(etag)
  expect(a.reconcilers.bundle.current()?.revision).toBe(before)
})

test('who does not lead writes nothing', async () => {
  const before = await a.until(revision)
  a.lead(false)
  await data('later', { tools: { not_allowed: 'deny' }, tenants: { acme: { models: ['a'] } } })
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(await status('later')).toEqual({})
  expect(await revision()).toBe(before)
  a.lead(true)
  const said = await a.until(async () => (await status('waiting')).error ?? (await status('later')).error)
  expect(said.code).toMatch(/data_conflict|held/)
  await a.kubectl(['-n', a.home, 'delete', 'configmap', 'later'])
})

test('the ConfigMap and the commands of the document do what it says', async () => {
  const path = resolve(import.meta.dirname, '../../proxy/docs/policies-on-kubernetes.md')
  const blocks = readFileSync(path, 'utf8').split(/^```$/m)
  const block = (start: string): string => {
    const found = blocks.find((text) => text.trim().startsWith(start))
    if (found === undefined) throw new Error(`no block in the document begins with ${start}`)
    return found.trim()
  }
  await a.apply(block('apiVersion: v1').replace('namespace: postern', `namespace: ${a.home}`))
  await a.until(async () => (await status('chat-limits')).status === 'ok')
  const commands = block('kubectl').replaceAll('-n postern', `-n ${a.home}`).split('\n')
  const [path1 = '', described = ''] = commands.map((line) =>
    line.replace(/ +#.*$/, '').slice('kubectl '.length),
  )
  const [json = ''] = /\{\.metadata.*\}/.exec(path1) ?? []
  expect(await a.kubectl([...path1.split(' -o ')[0]!.split(' '), '-o', `jsonpath=${json}`])).toContain('"ok"')
  await a.until(async () => (await a.kubectl(described.split(' '))).includes('PolicyApplied'))
  const before = await revision()
  await a.kubectl(['-n', a.home, 'delete', 'configmap', 'chat-limits'])
  await a.until(async () => (await revision()) !== before)
})

const withOpa = opa === undefined ? test.skip : test

withOpa(
  'Rego is built with its tests, and one that fails keeps the bundle (needs opa)',
  async () => {
    const before = await a.until(revision)
    const rule =
      'package postern.rules.team\n\ndeny contains "team_closed" if input.caller.tenant == "closed"\n'
    const check = (tenant: string): string =>
      `package postern.rules.team_test\n\nimport data.postern.asked_test as asked\nimport data.postern.rules.team as rule\n\n` +
      `test_closed if {\n\trule.deny == {"team_closed"} with input as asked.with_changes({"caller": {"tenant": "${tenant}"}})\n}\n`
    await policy('team', 'policy: rego', { 'team.rego': rule, 'team_test.rego': check('open') })
    const said = await a.until(async () => (await status('team')).error)
    expect(said).toEqual({ code: 'test_failed', message: 'key team_test.rego, line 6: test_closed fails' })
    expect(await revision()).toBe(before)
    await policy('team', 'policy: rego', { 'team.rego': rule, 'team_test.rego': check('closed') })
    await a.until(async () => (await status('team')).status === 'ok')
    expect(await revision()).not.toBe(before)
  },
  60_000,
)
