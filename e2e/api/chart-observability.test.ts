import { expect, test } from '@jest/globals'
import { api, type Api } from '../support/api.ts'
import { release } from '../support/chart-release.ts'
import { eventually } from '../cluster/processes.ts'

const password = ({ kubectl }: Api, namespace: string): Promise<string> =>
  kubectl([
    ...['--namespace', namespace, 'get', 'secret', 'observability-grafana'],
    '--output=jsonpath={.data.password}',
  ])

const components = async ({ kubectl }: Api, namespace: string): Promise<readonly string[]> => {
  const found = await kubectl([
    ...['--namespace', namespace, 'get', 'pods'],
    String.raw`--output=jsonpath={.items[*].metadata.labels.app\.kubernetes\.io/component}`,
  ])
  return [...new Set(found.split(' '))].sort()
}

test('the stack installs, keeps its password over upgrade and rollback, and leaves nothing', async () => {
  const cluster = await api()
  const namespace = await cluster.namespace('observability')
  const stack = release(cluster, 'observability', { name: 'observability', namespace })
  await stack.install()
  const first = await password(cluster, namespace)
  expect(Buffer.from(first, 'base64')).toHaveLength(32)
  expect(await stack.objects()).toContain(
    `clusterrole.rbac.authorization.k8s.io/${namespace}-observability-prometheus`,
  )

  await stack.upgrade({
    'elasticsearch.enabled': true,
    'kibana.enabled': true,
    'storage.kind': 'pvc',
    'prometheus.namespaces': [namespace],
    'prometheus.posternNamespace': namespace,
  })
  expect(await password(cluster, namespace)).toBe(first)
  // The node's Fluentd has no node here to run on.
  await eventually(
    async () =>
      expect(await components(cluster, namespace)).toEqual([
        ...['alertmanager', 'elasticsearch', 'grafana', 'kibana', 'loki', 'prometheus'],
      ]),
    30,
  )

  await stack.rollback(1)
  expect(await password(cluster, namespace)).toBe(first)
  expect(await stack.objects()).not.toContain('secret/observability-elasticsearch')

  await stack.uninstall()
  await eventually(async () => expect(await stack.objects()).toEqual([]), 30)
})

test('all but Fluentd start where only restricted pods may be', async () => {
  const cluster = await api()
  const namespace = await cluster.namespace('observability')
  await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  const stack = release(cluster, 'observability', { name: 'observability', namespace })
  await stack.install({ 'elasticsearch.enabled': true, 'kibana.enabled': true })
  await eventually(
    async () =>
      expect(await components(cluster, namespace)).toEqual([
        ...['alertmanager', 'elasticsearch', 'grafana', 'kibana', 'loki', 'prometheus'],
      ]),
    30,
  )
  await stack.uninstall()
})

test('Prometheus may list pods and read nothing else', async () => {
  const cluster = await api()
  const namespace = await cluster.namespace('observability')
  const stack = release(cluster, 'observability', { name: 'observability', namespace })
  await stack.install()
  const may = async (...question: readonly string[]): Promise<string> => {
    const account = `system:serviceaccount:${namespace}:observability-prometheus`
    const asked = ['auth', 'can-i', ...question, '--as', account, '--all-namespaces']
    return (await cluster.kubectl(asked).catch(() => 'no')).trim()
  }
  expect(await may('list', 'pods')).toBe('yes')
  for (const question of [
    ['list', 'secrets'],
    ['get', 'configmaps'],
    ['create', 'pods'],
    ['get', 'pods', '--subresource=log'],
  ])
    expect([...question, await may(...question)]).toEqual([...question, 'no'])
  await stack.uninstall()
})
