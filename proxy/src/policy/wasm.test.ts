import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Meter } from '../core/metrics.ts'
import { noLog } from '../core/log.ts'
import { bundlePaths, readBundle } from './bundle.ts'
import { DECISION, evaluator } from './evaluator.ts'
import { asked } from './test/cases.ts'
import { opaPath } from './test/real-opa.ts'
import { wasmPolicy, type WasmPolicy } from './wasm.ts'

const generated = new URL('generated/', import.meta.url)
const policyData = () =>
  JSON.parse(readFileSync(new URL('data.json', generated), 'utf8')) as { readonly actions: object }

let folder: string
let counts: Map<string, number>
let engines: WasmPolicy[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-wasm-'))
  counts = new Map()
  engines = []
})
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.close()))
  rmSync(folder, { recursive: true, force: true })
})

const meter: Meter = {
  add: (name, amount, ...labels) => {
    const key = [name, ...labels].join(' ')
    counts.set(key, (counts.get(key) ?? 0) + amount)
  },
  set: () => undefined,
  observe: () => undefined,
}

const start = async (
  options: { bundle?: string; data?: string; cacheEntries?: number } = {},
): Promise<WasmPolicy> => {
  const engine = await wasmPolicy({ ...options, meter, log: noLog })
  engines.push(engine)
  return engine
}

const hits = () => [
  counts.get('postern_policy_cache_total hit'),
  counts.get('postern_policy_cache_total miss'),
]

test('equal facts are asked once, and other callers are other facts', async () => {
  const engine = await start()
  const first = await engine.decide(asked())
  expect(await engine.decide(asked())).toBe(first)
  expect(hits()).toEqual([1, 1])
  await engine.decide(asked({ caller: { ...asked().caller, subject: 'bob' } }))
  await engine.limits({ caller: asked().caller, model: 'small' })
  expect(hits()).toEqual([1, 3])
})

test('the cache is bounded and forgets what was not used for the longest time', async () => {
  const engine = await start({ cacheEntries: 2 })
  const by = (subject: string) => engine.decide(asked({ caller: { ...asked().caller, subject } }))
  for (const subject of ['a', 'b', 'a', 'c', 'a', 'b']) await by(subject)
  expect(hits()).toEqual([2, 4])
})

test('a cached answer cannot be changed by who got it', async () => {
  const answer = await (await start()).decide(asked())
  if (!answer.allow) throw new Error('denied')
  expect(Object.isFrozen(answer)).toBe(true)
  expect(Object.isFrozen(answer.actions.rules)).toBe(true)
  expect(Object.isFrozen(answer.reasons)).toBe(true)
})

test('own policy data decides from the next request after it changed', async () => {
  const data = join(folder, 'data.json')
  writeFileSync(data, JSON.stringify(policyData()))
  const engine = await start({ data })
  const before = engine.revision()
  expect((await engine.decide(asked())).allow).toBe(true)
  writeFileSync(data, JSON.stringify({ ...policyData(), tenants: {} }))
  await engine.reload()
  expect(await engine.decide(asked())).toEqual({
    allow: false,
    reasons: ['model_not_allowed_for_tenant', 'tenant_unknown'],
  })
  expect(engine.revision()).not.toBe(before)
  expect(counts.get('postern_reloads_total policy ok')).toBe(1)
})

test('a file that is swapped is seen without being told', async () => {
  const data = join(folder, 'data.json')
  writeFileSync(data, JSON.stringify(policyData()))
  const engine = await start({ data })
  const before = engine.revision()
  writeFileSync(data, JSON.stringify({ ...policyData(), tenants: {} }))
  for (let tries = 0; engine.revision() === before && tries < 300; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect((await engine.decide(asked())).allow).toBe(false)
})

test.each([
  ['is not JSON', '{'],
  [
    'names an unknown action',
    JSON.stringify({ ...policyData(), actions: { ...policyData().actions, otherwise: 'mask' } }),
  ],
  ['has no limits', JSON.stringify({ ...policyData(), limits: {} })],
])('data that %s leaves the last good policy in place, and is counted', async (_, bad) => {
  const data = join(folder, 'data.json')
  writeFileSync(data, JSON.stringify(policyData()))
  const engine = await start({ data })
  const revision = engine.revision()
  writeFileSync(data, bad)
  await engine.reload()
  expect(engine.revision()).toBe(revision)
  expect((await engine.decide(asked())).allow).toBe(true)
  expect(counts.get('postern_reloads_total policy failed')).toBe(1)
  expect(engine.unready()).toBeUndefined()
})

test('a first bundle that cannot be used stops the start', async () => {
  await expect(start({ bundle: join(folder, 'none.tar.gz') })).rejects.toThrow(/none\.tar\.gz/)
})

test('Wasm that is no policy is said to be none', async () => {
  const bundle = join(folder, 'bundle')
  mkdirSync(bundle)
  cpSync(new URL('data.json', generated), join(bundle, 'data.json'))
  writeFileSync(join(bundle, 'policy.wasm'), Buffer.from('0061736d01000000', 'hex'))
  await expect(start({ bundle })).rejects.toThrow(/is not of OPA/)
})

test('a built bundle is watched with all its files', () => {
  expect(bundlePaths({ bundle: '/b', data: '/d.json' })).toEqual([
    '/b',
    '/b/policy.wasm',
    '/b/data.json',
    '/b/.manifest',
    '/d.json',
  ])
  expect(bundlePaths({})).toEqual([])
})

test('large inputs, one after the other, do not grow the memory beyond its bound', async () => {
  const engine = evaluator(await readBundle({}))
  const request = { ...asked().request, tools: Array.from({ length: 5000 }, (_, index) => `get_${index}`) }
  for (let round = 0; round < 5; round++) {
    expect(engine.evaluate(DECISION, asked({ request }))).toMatchObject({ allow: true })
  }
  expect(engine.evaluate(DECISION, asked())).toMatchObject({ allow: true })
})

test('an evaluation that needs more memory than there is fails, and the next one answers', async () => {
  const engine = evaluator(await readBundle({}))
  const request = { ...asked().request, tools: Array.from({ length: 600_000 }, (_, index) => `get_${index}`) }
  expect(() => engine.evaluate(DECISION, asked({ request }))).toThrow()
  expect(engine.evaluate(DECISION, asked())).toMatchObject({ allow: true })
})

const opa = opaPath()
const missing = opa === undefined && process.env.CI !== 'true'

;(missing ? describe.skip : describe)(
  missing
    ? 'own bundles: skipped, because there is no opa on PATH, in $GOPATH/bin or in ~/go/bin'
    : 'own bundles',
  () => {
    const build = fileURLToPath(new URL('../../../policies/build.mjs', import.meta.url))

    test('a bundle of build.mjs decides as the built-in one, and reloads', async () => {
      const bundle = join(folder, 'own.tar.gz')
      execFileSync(process.execPath, [build, '--bundle', bundle], { stdio: 'ignore' })
      const [own, builtIn] = [await start({ bundle }), await start()]
      expect(own.revision()).toBe(builtIn.revision())
      expect(await own.decide(asked())).toEqual(await builtIn.decide(asked()))
      writeFileSync(bundle, readFileSync(bundle).subarray(0, 9000))
      await own.reload()
      expect(await own.decide(asked({ stage: 'model' }))).toMatchObject({ allow: true })
      expect(counts.get('postern_reloads_total policy failed')).toBe(1)
    })

    test('a bundle with a builtin that does not exist here is refused when it is loaded', async () => {
      if (opa === undefined)
        throw new Error('opa is needed in CI: go install github.com/open-policy-agent/opa@v1.22.2')
      const source = join(folder, 'source')
      mkdirSync(source)
      writeFileSync(join(source, 'data.json'), '{}')
      writeFileSync(
        join(source, 'p.rego'),
        'package postern\n\ndecision := {"allow": time.now_ns() > 0, "reasons": []}\n\nlimits := {}\n',
      )
      const bundle = join(folder, 'clock.tar.gz')
      const entrypoints = ['-e', 'postern/decision', '-e', 'postern/limits']
      execFileSync(opa, ['build', '-t', 'wasm', ...entrypoints, '-b', source, '-o', bundle])
      await expect(start({ bundle })).rejects.toThrow(/time\.now_ns/)
    })

    test('a bundle without the limits is refused when it is loaded', async () => {
      if (opa === undefined)
        throw new Error('opa is needed in CI: go install github.com/open-policy-agent/opa@v1.22.2')
      const source = join(folder, 'source')
      mkdirSync(source)
      writeFileSync(join(source, 'data.json'), '{}')
      writeFileSync(
        join(source, 'p.rego'),
        'package postern\n\ndecision := {"allow": false, "reasons": []}\n',
      )
      const bundle = join(folder, 'half.tar.gz')
      execFileSync(opa, ['build', '-t', 'wasm', '-e', 'postern/decision', '-b', source, '-o', bundle])
      await expect(start({ bundle })).rejects.toThrow(/no entry point postern\/limits/)
    })
  },
)
