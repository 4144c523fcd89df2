import { expect, test } from '@jest/globals'
import type { PodOverlay } from '../core/pod.ts'
import { forPod, readPod } from './pod.ts'
import { ConfigError } from './problems.ts'
import { read } from './test/read.ts'

const overlay: PodOverlay = {
  listen: { address: 'pod', port: 8000 },
  adminPort: 8099,
  modelUrl: 'http://127.0.0.1:8000',
  models: [],
  probes: [
    { path: '/app-health/model/liveness', action: { kind: 'tcp', port: 8000 }, timeoutSeconds: 1 },
    {
      path: '/app-health/model/readiness',
      action: { kind: 'http', scheme: 'HTTP', port: 8000, path: '/health', headers: [] },
      timeoutSeconds: 5,
    },
  ],
  drainSeconds: 40,
}
const source = (value: unknown, podIp: string | undefined = '10.0.0.7') => ({
  text: typeof value === 'string' ? value : JSON.stringify(value),
  name: 'env:POSTERN_POD',
  podIp,
})
const profile = read(`identity: { anonymous: { roles: [user] } }
server: { listen: { host: '::' } }
upstreams: [{ name: model, url: 'http://127.0.0.1:1' }, { name: other, url: 'http://127.0.0.1:2' }]
models: [{ name: '*', targets: [{ upstream: model }] }]
routes: [{ name: simple.llm, enabled: false }, { name: simple.chat, enabled: false }]
`)

test('a profile becomes the configuration of one pod', () => {
  const config = forPod(profile, readPod(source(overlay)), source(overlay))
  expect(config.server.listen).toEqual({ host: '10.0.0.7', port: 8000 })
  expect(config.server.drain).toEqual({ graceMs: 5000, deadlineMs: 40_000 })
  expect(config.admin.port).toBe(8099)
  expect(config.upstreams.map(({ name, url }) => `${name} ${url}`)).toEqual([
    'model http://127.0.0.1:8000',
    'other http://127.0.0.1:2',
  ])
  expect(config.models).toEqual(profile.models)
})

test('a model that the profile routes keeps its route when the pod names it', () => {
  const follow = { model: 'llama', alias: 'champion' }
  const routed = { ...profile, models: [{ name: 'llama', targets: [{ upstream: 'model', follow }] }] }
  const named = { ...overlay, models: ['llama', 'phi'] }
  const config = forPod(routed, readPod(source(named)), source(named))
  expect(config.models).toEqual([routed.models[0], { name: 'phi', targets: [{ upstream: 'model' }] }])
})

test('the pod may name its models, and the profile keeps its address where the pod has none', () => {
  const named = {
    ...overlay,
    listen: { address: 'any', port: 8080 },
    models: ['llama', 'phi'],
    drainSeconds: 2,
  }
  const config = forPod(profile, readPod(source(named)), source(named))
  expect(config.server.listen).toEqual({ host: '::', port: 8080 })
  expect(config.server.drain).toEqual({ graceMs: 2000, deadlineMs: 2000 })
  expect(config.models).toEqual([
    { name: 'llama', targets: [{ upstream: 'model' }] },
    { name: 'phi', targets: [{ upstream: 'model' }] },
  ])
  expect(config.defaultModel).toBe('llama')
})

test.each([
  ['not JSON', '{', 'is not JSON'],
  ['a key twice', JSON.stringify(overlay).replace('{', '{"modelUrl":"http://127.0.0.1:1",'), 'is not JSON'],
  ['an unknown key', { ...overlay, policy: 'off' }, 'policy'],
  ['a model elsewhere', { ...overlay, modelUrl: 'http://evil.example:80' }, 'modelUrl'],
  [
    'a model behind a name that only looks local',
    { ...overlay, modelUrl: 'http://127.0.0.1.evil.example' },
    'modelUrl',
  ],
  ['no port', { ...overlay, listen: { address: 'any', port: 0 } }, 'listen.port'],
  [
    'a probe page of another name',
    { ...overlay, probes: [{ ...overlay.probes[0], path: '/drain' }] },
    'probes.0.path',
  ],
])('refused: %s', (_what, value, says) => {
  expect(() => readPod(source(value))).toThrow(ConfigError)
  expect(() => readPod(source(value))).toThrow(says)
})

test('a guard for the pod address alone needs to know it', () => {
  expect(() => readPod({ text: JSON.stringify(overlay), name: 'env:POSTERN_POD', podIp: undefined })).toThrow(
    'POD_IP',
  )
})

test('a profile without the upstream named model is refused', () => {
  const other = { ...profile, upstreams: profile.upstreams.slice(1) }
  expect(() => forPod(other, overlay, source(overlay))).toThrow('no upstream named model')
})
