import type { V1NetworkPolicy, V1Pod } from '@kubernetes/client-node'
import { expect, test } from '@jest/globals'
import { ruleset } from './network-policies.ts'

/** The client's types are classes; what the API server sends is none. */
const pod = (name: string, podIP: string, namespace = 'a'): V1Pod => {
  const sent: unknown = {
    metadata: { name, namespace, labels: { app: name } },
    spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8000 }] }] },
    status: { podIP, phase: 'Running' },
  }
  return sent as V1Pod
}

const pods = [pod('model', '10.0.0.2'), pod('friend', '10.0.0.3'), pod('stranger', '10.0.0.4', 'b')]
const namespaces = new Map([
  ['a', { team: 'a' }],
  ['b', { team: 'b' }],
])

const rulesOf = (spec: unknown): string => {
  const sent: unknown = { metadata: { name: 'p', namespace: 'a' }, spec }
  return ruleset({ pods, namespaces, policies: [sent as V1NetworkPolicy] })
}

const chain = (rules: string, name: string): readonly string[] | undefined =>
  new RegExp(`chain ${name} \\{\\n([^]*?)\\n\\}`).exec(rules)?.[1]?.trim().split('\n')

const REJECT = 'reject with icmpx admin-prohibited'

test('without policies nothing is rejected', () => {
  expect(ruleset({ pods, namespaces, policies: [] })).not.toContain('reject')
})

test('a policy without rules closes the pods that it selects, and no others', () => {
  const rules = rulesOf({ podSelector: { matchLabels: { app: 'model' } }, policyTypes: ['Ingress'] })
  expect(chain(rules, 'ingress_10_0_0_2')).toEqual([REJECT])
  expect(chain(rules, 'ingress_10_0_0_3')).toBeUndefined()
  expect(chain(rules, 'egress_10_0_0_2')).toBeUndefined()
})

test('peers are found by pod and by namespace, ports by number, range and name', () => {
  const rules = rulesOf({
    podSelector: { matchLabels: { app: 'model' } },
    policyTypes: ['Ingress'],
    ingress: [
      { _from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: 'http' }] },
      { _from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }], ports: [{ port: 1, endPort: 9 }] },
      {
        _from: [{ ipBlock: { cidr: '10.9.0.0/16', except: ['10.9.1.0/24'] } }],
        ports: [{ protocol: 'UDP' }],
      },
    ],
  })
  expect(chain(rules, 'ingress_10_0_0_2')).toEqual([
    'ip saddr 10.0.0.3 tcp dport 8000 return',
    'ip saddr 10.0.0.4 tcp dport 1-9 return',
    'ip saddr 10.9.0.0/16 ip saddr != { 10.9.1.0/24 } meta l4proto udp return',
    REJECT,
  ])
})

test.each(['_from', 'from'])('peers are read as the client lists them and as it watches them: %s', (from) => {
  const rules = rulesOf({
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [{ [from]: [{ namespaceSelector: { matchLabels: { team: 'none' } } }] }],
  })
  expect(chain(rules, 'ingress_10_0_0_2')).toEqual([REJECT])
})

test('a rule without peers lets everybody in, at its ports only', () => {
  const rules = rulesOf({ podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 8080 }] }] })
  expect(chain(rules, 'ingress_10_0_0_2')?.[0]).toBe('tcp dport 8080 return')
})
