import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from '@jest/globals'
import { buildPolicy, type Built } from './build.ts'
import { collect } from './collect.ts'
import { dataCheck } from './data-schema.ts'
import { placed } from './problem.ts'
import { ADMIN_ISSUER, ADMIN_ISSUER_TEST, builtIn, configMap, opa, policies } from './test/samples.ts'

const build = async (
  configMaps: readonly ReturnType<typeof configMap>[],
  program = opa ?? '/nowhere/opa',
): Promise<Built> => {
  const { sources, problems } = collect(configMaps)
  if (problems.length > 0) return { problems }
  const { signal } = new AbortController()
  const checkData = await dataCheck(policies)
  return buildPolicy(sources, { builtIn, checkData, opa: program, sources: policies, signal })
}

const said = (built: Built): readonly string[] =>
  'problems' in built
    ? built.problems.map((problem) => `${problem.configMap ?? '-'}: ${placed(problem)}`)
    : ['no problem']

const rego = (text: string) => configMap('team', { 'rule.rego': text })
const json = (text: string) => configMap('team', { 'data.json': text })
const withOpa = opa === undefined ? test.skip : test

test('without ConfigMaps the built-in policy is in force', async () => {
  expect(await build([])).toEqual({ policy: builtIn })
})

test('data changes what it names, and needs no OPA', async () => {
  const built = await build([json('{"limits":{"roles":{"user":{"burst":7},"admin":null}}}')], '/nowhere/opa')
  if ('problems' in built) throw new Error(said(built).join())
  expect(built.policy.wasm).toBe(builtIn.wasm)
  expect(built.policy.data).toMatchObject({ limits: { roles: { user: { burst: 7, concurrency: 8 } } } })
  expect(built.policy.data).not.toHaveProperty('limits.roles.admin')
})

test.each([
  ['{"rolles":{}}', 'key data.json, line 1: /rolles is not a part of data.json; there are roles, tenants'],
  [
    '{\n "limits": {\n  "roles": {\n   "user": {\n    "brust": 7\n}}}}',
    'key data.json, line 5: /limits/roles/user/brust is not known here; look for a misspelling',
  ],
  ['{"actions": {\n "otherwise": "pass"}}', 'key data.json, line 2: /actions/otherwise expected one of'],
  ['{"limits": null}', 'key data.json, line 1: /limits expected object, it is missing'],
  ['{"limits": {}\n,"limits": {}}', 'key data.json, line 2: the same key twice in one object'],
  ['{\n"a": 1,\n}', 'key data.json, line 3: not valid JSON'],
  ['[]', 'key data.json: is not a JSON object'],
])('data %j is refused with its place', async (text, expected) => {
  const [first] = said(await build([json(text)]))
  expect(first).toContain(`team: ${expected}`)
})

test('two ConfigMaps that set one thing differently: the later is to blame, and knows whom to ask', async () => {
  const built = await build([
    configMap('b', { 'x.json': '{"tools":{"not_allowed":"deny"}}' }),
    configMap('a', { 'x.json': '{"tools":{"not_allowed":"remove"}}' }),
  ])
  expect(said(built)).toEqual([
    'b: key x.json: sets /tools/not_allowed otherwise than ConfigMap a, key x.json, which comes first; set it in one of them only',
  ])
})

test('Rego without OPA is a failure of the tool that says what to do', async () => {
  const built = await build([rego(ADMIN_ISSUER)], '/nowhere/opa')
  expect(built).toMatchObject({ problems: [{ code: 'tool_failed', configMap: 'team' }] })
  expect(said(built)[0]).toMatch(/no OPA at \/nowhere\/opa.*set policies\.opa/)
})

withOpa(
  'Rego with its tests becomes one policy with the base, and nothing is left behind (needs opa)',
  async () => {
    const left = (): readonly string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith('postern-policies-'))
    const before = left()
    const files = { 'admin.rego': ADMIN_ISSUER, 'admin_test.rego': ADMIN_ISSUER_TEST }
    const built = await build([configMap('team', files)])
    if ('problems' in built) throw new Error(said(built).join())
    expect(built.policy.wasm.length).toBeGreaterThan(builtIn.wasm.length)
    expect(built.policy.data).toEqual(builtIn.data)
    const again = await build([configMap('team', files)])
    expect('policy' in again && Buffer.from(again.policy.wasm).equals(built.policy.wasm)).toBe(true)
    expect(left()).toEqual(before)
  },
)

withOpa.each([
  ['package foo bar', 'key rule.rego, line 1: '],
  [
    'package postern.rules.x\n\ndeny contains "x" if {\n\tinput.caller.rolles\n}',
    'key rule.rego, line 4: undefined ref: input.caller.rolles',
  ],
  [
    'package postern.rules.x\n\ny := http.send({})',
    'key rule.rego, line 3: undefined function http.send: guards do not have it',
  ],
  [
    'package postern.rules.x\n\nimport data.tools\n\nx := 1',
    'key rule.rego, line 3: import data.tools unused',
  ],
  [
    '# mine\npackage elsewhere\n\nx := 1',
    'key rule.rego, line 2: package elsewhere is outside of package postern',
  ],
  [
    'package postern\n\ndefault decision := {"allow": true}',
    'key rule.rego, line 3: multiple default rules data.postern.decision found at',
  ],
])('Rego %j is refused with its place (needs opa)', async (text, expected) => {
  expect(said(await build([rego(text)]))[0]).toContain(`team: ${expected}`)
})

withOpa(
  'a test that fails names itself, and cannot reach the network or the environment (needs opa)',
  async () => {
    const failing = 'package postern.rules.x_test\n\ntest_it if false\n'
    expect(said(await build([configMap('team', { 'x_test.rego': failing })]))).toEqual([
      'team: key x_test.rego, line 3: test_it fails',
    ])
    const curious = 'package postern.rules.x_test\n\ntest_it if opa.runtime().env.HOME != ""\n'
    expect(said(await build([configMap('team', { 'x_test.rego': curious })]))[0]).toMatch(
      /line 3: undefined function opa\.runtime/,
    )
  },
)

withOpa('a program that ends badly is a failure of the tool (needs opa)', async () => {
  expect(await build([rego(ADMIN_ISSUER)], '/bin/false')).toMatchObject({
    problems: [{ code: expect.any(String) }],
  })
})
