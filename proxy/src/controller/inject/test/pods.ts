import { expect } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { PodOverlay } from '../../../core/pod.ts'
import { injectPod, type InjectStatus } from '../inject-pod.ts'
import type { Manifest } from '../inject-workload.ts'
import type { Container, Pod } from '../objects.ts'
import { settings } from './settings.ts'

export const manifest = (name: string): Manifest =>
  parse(readFileSync(join(import.meta.dirname, 'manifests', `${name}.yaml`), 'utf8')) as Manifest

export const podWith = (container: Partial<Container>, annotations: Record<string, string> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'model',
    labels: { 'postern.dev/inject': 'true' },
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [`postern.dev/${key}`, value]),
    ),
  },
  spec: {
    containers: [
      { name: 'model', image: 'example.com/model:1', ports: [{ containerPort: 9000 }], ...container },
    ],
  },
})

export const inject = (
  pod: Pod,
  changed: Partial<typeof settings> = {},
): { pod: Pod; status: InjectStatus } => {
  const result = injectPod(pod, { ...settings, ...changed }, { namespace: 'models' })
  if (result.kind === 'refused') throw new Error(result.message)
  expect(injectPod(result.pod, { ...settings, ...changed }, { namespace: 'models' })).toEqual(result)
  return result
}

export const refusal = (pod: Pod): string => {
  const result = injectPod(pod, settings, { namespace: 'models' })
  return result.kind === 'refused' ? result.message : 'injected'
}

export const guardOf = (pod: Pod): Container =>
  pod.spec!.initContainers!.find(({ name }) => name === 'postern')!

export const overlayOf = (pod: Pod): PodOverlay =>
  JSON.parse(guardOf(pod).env!.find(({ name }) => name === 'POSTERN_POD')!.value!) as PodOverlay

export const modelOf = (pod: Pod): Container => pod.spec!.containers[0]!
