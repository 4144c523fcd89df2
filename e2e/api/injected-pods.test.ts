import { beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { injectPod } from '../../proxy/src/controller/inject/inject-pod.ts'
import { injectService, type Service } from '../../proxy/src/controller/inject/inject-service.ts'
import { injectWorkload, type Manifest } from '../../proxy/src/controller/inject/inject-workload.ts'
import { jsonPatch } from '../../proxy/src/controller/inject/json-patch.ts'
import type { Pod } from '../../proxy/src/controller/inject/objects.ts'
import { settings } from '../../proxy/src/controller/inject/test/settings.ts'
import { api, type Api } from '../support/api.ts'

const manifest = (name: string): Manifest =>
  parse(
    readFileSync(
      join(import.meta.dirname, '../../proxy/src/controller/inject/test/manifests', `${name}.yaml`),
      'utf8',
    ),
  ) as Manifest

const RESTRICTED = {
  runAsNonRoot: true,
  runAsUser: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
}
const CONTAINER = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }

/** The pod of a manifest, as strict as its namespace wants it: whatever is refused then is the guard's fault. */
const restrictedPod = (name: string, namespace: string): Pod => {
  const object = manifest(name) as { kind: string; metadata: object; spec: { template?: Pod } }
  const template = (object.kind === 'Pod' ? object : object.spec.template) as Pod
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, namespace, generateName: `${name}-` },
    spec: {
      ...template.spec!,
      securityContext: RESTRICTED,
      containers: template.spec!.containers.map((container) => ({
        ...container,
        securityContext: CONTAINER,
      })),
      ...(template.spec!.initContainers && {
        initContainers: template.spec!.initContainers.map((container) => ({
          ...container,
          securityContext: CONTAINER,
        })),
      }),
    },
  }
}

const injected = (pod: Pod): Pod => {
  const result = injectPod(pod, settings, { namespace: 'e2e' })
  if (result.kind === 'refused') throw new Error(result.message)
  return result.pod
}

describe('pods with a guard on a real API server', () => {
  let cluster: Api
  let namespace: string

  const create = async <T>(object: unknown): Promise<T> =>
    JSON.parse(await cluster.kubectl(['create', '-f', '-', '-o', 'json'], JSON.stringify(object))) as T

  beforeAll(async () => {
    cluster = await api()
    namespace = await cluster.namespace('injected')
    await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  })

  const cases = ['vllm', 'tgi', 'ollama', 'llama-cpp', 'kserve', 'unknown'].flatMap((name) =>
    (['auto', 'service'] as const).map((mode) => [name, mode] as const),
  )

  test.each(cases)(
    '%s in mode %s is accepted by Pod Security restricted, and a second injection changes nothing',
    async (name, mode) => {
      const pod = restrictedPod(name, namespace)
      pod.metadata!.annotations = { ...pod.metadata!.annotations, 'postern.dev/mode': mode }
      const stored = await create<Pod>(injected(pod))
      expect(stored.spec!.initContainers!.find((container) => container.name === 'postern')).toMatchObject({
        restartPolicy: 'Always',
      })
      expect(jsonPatch(stored, injected(stored))).toEqual([])
    },
  )

  test('limits of a LimitRange on the guard are kept, so that it is not refused a second time', async () => {
    const limited = await cluster.namespace('limited')
    await create({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'limits', namespace: limited },
      spec: {
        limits: [
          { type: 'Container', default: { cpu: '500m', memory: '1Gi' }, defaultRequest: { cpu: '100m' } },
        ],
      },
    })
    const stored = await create<Pod>(injected(restrictedPod('vllm', limited)))
    const guard = stored.spec!.initContainers!.find((container) => container.name === 'postern')
    expect(guard?.resources?.limits).toEqual({ cpu: '500m', memory: '512Mi' })
    expect(jsonPatch(stored, injected(stored))).toEqual([])
  })

  test('an injected Deployment is accepted as it is', async () => {
    const result = injectWorkload(
      { ...manifest('unknown'), metadata: { name: 'own', namespace } },
      { settings, namespace, all: false },
    )
    if (result.kind !== 'injected') throw new Error(result.kind)
    const stored = await create<{ spec: { template: Pod } }>(result.object)
    expect(jsonPatch(stored.spec.template, injected(stored.spec.template))).toEqual([])
  })

  test('a Service goes to the guard and back', async () => {
    const service = await create<Service>({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'model', namespace, labels: { 'postern.dev/inject': 'true' } },
      spec: { selector: { app: 'own' }, ports: [{ port: 80, targetPort: 5000 }] },
    })
    const guarded = injectService(service, settings)
    if (guarded.kind === 'refused') throw new Error(guarded.message)
    await cluster.apply(
      JSON.stringify({
        ...guarded.service,
        metadata: { ...guarded.service.metadata, managedFields: undefined },
      }),
    )
    const stored = JSON.parse(
      await cluster.kubectl(['-n', namespace, 'get', 'service', 'model', '-o', 'json']),
    ) as Service
    expect(stored.spec!.ports![0]!.targetPort).toBe(8080)
    expect(injectService(stored, settings).kind).toBe('unchanged')
    const back = injectService({ ...stored, metadata: { ...stored.metadata!, labels: {} } }, settings)
    expect(back).toMatchObject({ kind: 'changed', service: { spec: { ports: [{ targetPort: 5000 }] } } })
  })
})
