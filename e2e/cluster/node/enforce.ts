import { KubeConfig, CoreV1Api, makeInformer, NetworkingV1Api } from '@kubernetes/client-node'
import type { Informer, KubernetesObject, ObjectCache } from '@kubernetes/client-node'
import { setTimeout as sleep } from 'node:timers/promises'
import { capture } from '../kubectl.ts'
import { ruleset } from './network-policies.ts'

/** The node's enforcer of NetworkPolicy: `enforce.ts KUBECONFIG`. Writes the whole rule set whenever something changed. */
const config = new KubeConfig()
config.loadFromFile(process.argv[2] ?? '')
const core = config.makeApiClient(CoreV1Api)
const networking = config.makeApiClient(NetworkingV1Api)

let changed = true
const mark = (): void => {
  changed = true
}

const follow = async <T extends KubernetesObject>(informer: Informer<T> & ObjectCache<T>) => {
  informer.on('change', mark)
  informer.on('delete', mark)
  informer.on('error', () => {
    setTimeout(() => void informer.start().catch(() => undefined), 500)
  })
  await informer.start()
  return informer
}

const [pods, namespaces, policies] = await Promise.all([
  follow(makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces())),
  follow(makeInformer(config, '/api/v1/namespaces', () => core.listNamespace())),
  follow(
    makeInformer(config, '/apis/networking.k8s.io/v1/networkpolicies', () =>
      networking.listNetworkPolicyForAllNamespaces(),
    ),
  ),
])

let applied = ''
for (;;) {
  await sleep(50)
  if (!changed) continue
  changed = false
  const labels = namespaces
    .list()
    .map(({ metadata }) => [metadata?.name ?? '', metadata?.labels ?? {}] as const)
  const rules = ruleset({ pods: pods.list(), namespaces: new Map(labels), policies: policies.list() })
  if (rules === applied) continue
  try {
    await capture(['nft', '-f', '-'], { stdin: rules })
    applied = rules
  } catch (cause) {
    process.stderr.write(`${String(cause)}\n${rules}\n`)
    changed = true
    await sleep(1000)
  }
}
