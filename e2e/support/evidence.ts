import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubectl } from '../cluster/kubectl.ts'
import type { Cluster } from './clusters.ts'

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string; readonly name: string }
    readonly spec: {
      readonly initContainers?: readonly { readonly name: string }[]
      readonly containers: readonly { readonly name: string }[]
    }
  }[]
}

/** Writes what the cluster knows into a folder of temporary files, and gives the folder: for a test that failed. Never rejects. */
export const gather = async (test: string): Promise<string> => {
  const folder = join(tmpdir(), 'postern-e2e-evidence', test.replace(/[^\w]+/g, '-').slice(0, 80))
  mkdirSync(folder, { recursive: true })
  const { kubeconfig } = JSON.parse(process.env.POSTERN_E2E_CLUSTER ?? '{}') as Cluster
  const k = kubectl(kubeconfig)
  const keep = async (file: string, args: readonly string[]): Promise<void> => {
    const said = await k(args).catch((cause: unknown) => String(cause))
    writeFileSync(join(folder, file), said)
  }
  await keep('pods.txt', ['get', 'pods', '-A', '-o', 'wide', '--show-labels'])
  await keep('events.txt', ['get', 'events', '-A', '--sort-by=.lastTimestamp'])
  await keep('describe.txt', ['describe', 'pods', '-A'])
  await keep('objects.txt', ['get', 'deployments,services,networkpolicies,configmaps', '-A', '-o', 'wide'])
  await keep('admission.yaml', [
    'get',
    'mutatingwebhookconfigurations,validatingadmissionpolicies,mutatingadmissionpolicies',
    '-o',
    'yaml',
  ])
  const pods = await k(['get', 'pods', '-A', '-o', 'json'])
    .then((text) => JSON.parse(text) as PodList)
    .catch((): PodList => ({ items: [] }))
  for (const { metadata, spec } of pods.items) {
    if (metadata.namespace === 'kube-system') continue
    for (const { name } of [...(spec.initContainers ?? []), ...spec.containers]) {
      const args = ['-n', metadata.namespace, 'logs', metadata.name, '-c', name, '--tail=10000']
      await keep(`${metadata.namespace}.${metadata.name}.${name}.log`, args)
      await keep(`${metadata.namespace}.${metadata.name}.${name}.previous.log`, [...args, '--previous'])
    }
  }
  return folder
}
