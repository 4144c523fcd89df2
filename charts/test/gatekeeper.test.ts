import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { injectPod } from '../../proxy/src/controller/inject/inject-pod.ts'
import type { Pod } from '../../proxy/src/controller/inject/objects.ts'
import { settings } from '../../proxy/src/controller/inject/test/settings.ts'
import { allVariants, renderVariant } from './all-variants.ts'
import { gatekeeperProblems, rbacProblems, withoutLabels } from './gatekeeper.ts'
import { helmTest } from './helm.ts'
import { pick, podTemplates } from './manifests.ts'
import { exceptions } from './observability-cases.ts'

const owner = { 'example.com/owner': 'platform', 'example.com/cost-center': '42' }

describe.each(allVariants)('the usual Gatekeeper rules, $name', (variant) => {
  helmTest('find nothing in a pod, but for the known exceptions of the evaluation stack', async () => {
    for (const { of, pod } of podTemplates(await renderVariant(variant)))
      expect([of.metadata.name, [...gatekeeperProblems(pod)].sort()]).toEqual([
        of.metadata.name,
        [...(exceptions[of.metadata.name] ?? [])].sort(),
      ])
  })

  helmTest('find nothing in roles and bindings', async () => {
    expect(rbacProblems(await renderVariant(variant))).toEqual([])
  })

  helmTest('find the labels of the owner on every object and pod', async () => {
    const values = { ...(variant.values as object), commonLabels: owner }
    expect(withoutLabels(await renderVariant({ ...variant, values }), owner)).toEqual([])
  })
})

const manifest = (name: string): Pod => {
  const file = new URL(`../../proxy/src/controller/inject/test/manifests/${name}.yaml`, import.meta.url)
  const object: unknown = parse(readFileSync(file, 'utf8'))
  return (pick(object, 'kind') === 'Pod' ? object : pick(object, 'spec.template')) as Pod
}

describe.each(['vllm', 'tgi', 'ollama', 'llama-cpp', 'kserve', 'unknown'])('the guard beside %s', (name) => {
  test.each(['auto', 'service'])('in mode %s is what the usual Gatekeeper rules ask for', (mode) => {
    const pod = manifest(name)
    pod.metadata!.annotations = { ...pod.metadata!.annotations, 'postern.dev/mode': mode }
    // The owner of the pod decides about the model's container and the pod; the guard adds nothing that breaks a rule.
    pod.spec!.automountServiceAccountToken = false
    const result = injectPod(pod, settings, { namespace: 'models' })
    if (result.kind === 'refused') throw new Error(result.message)
    expect(gatekeeperProblems(result.pod, (container) => ['', 'postern'].includes(container))).toEqual([])
    expect(gatekeeperProblems(pod, (container) => container === '')).toEqual([])
  })
})

test('a pod that breaks every rule is told so', () => {
  const bad = {
    spec: {
      hostNetwork: true,
      containers: [{ name: 'a', image: 'registry:5000/a', ports: [{ hostPort: 1 }] }],
    },
  }
  expect(gatekeeperProblems(bad)).toEqual([
    'hostNetwork',
    'token is mounted',
    'a may run as root',
    'a may escalate',
    'a keeps capabilities',
    'a has no seccomp profile',
    'a writes its root',
    'a has no memory limit',
    'a takes a port of the node',
    'a has an image that moves',
    'a requests no CPU',
    'a requests no memory',
    'a has no readinessProbe',
    'a has no livenessProbe',
  ])
})
