import { expect } from '@jest/globals'
import { unusedValues } from './change-each-value.ts'
import { helmTest } from './helm.ts'
import { chart, KEY, keys, merged, server } from './llm-api-cases.ts'

helmTest(
  'every value changes something',
  async () => {
    expect(
      await unusedValues({
        chart,
        base: merged([
          keys,
          {
            download: { enabled: true, image: 'example.com/fetch:1' },
            cache: { kind: 'pvc' },
            model: {
              sharedMemory: { enabled: true },
              verify: { enabled: true, publicKey: { configMap: 'signers' } },
            },
            guard: { modelMetricsPath: '/metrics' },
            networkPolicy: { registry: { enabled: true } },
            podMonitor: { enabled: true },
            tests: { credentialSecret: 'ci' },
          },
        ]),
        samples,
        under,
      }),
    ).toEqual([])
  },
  300_000,
)

const scaling = (kind: string, metric: string): unknown => ({ autoscaling: { kind, metric } })
const verify = (trust: object): unknown => ({ model: { verify: { publicKey: { configMap: '' }, ...trust } } })
const who = { identity: 'a@example.com', identityProvider: 'https://accounts.example.com' }
const samples: Readonly<Record<string, unknown>> = {
  'model.names': ['changed'],
  'model.image.digest': `sha256:${'1'.repeat(64)}`,
  'guard.image.digest': `sha256:${'1'.repeat(64)}`,
  'model.bind': 'arg:--changed',
  'model.verify.digest': '1'.repeat(64),
  'model.verify.publicKey.secret': 'signer',
  'model.verify.certificateChain.configMap': 'changed',
  'model.verify.certificateChain.secret': 'changed',
  'model.verify.trustedRoot.configMap': 'changed',
  'model.verify.trustedRoot.secret': 'changed',
  'guard.identity.apiKeys.keys': [{ ...KEY, subject: 'changed' }],
  'guard.identity.apiKeys.generate': true,
  'model.image.pullPolicy': 'Always',
  'guard.image.pullPolicy': 'Always',
  'guard.identity.kind': 'anonymous',
  'guard.identity.jwtIssuers': [{ name: 'changed', issuer: 'https://changed.example', audiences: ['a'] }],
  'guard.config': { defaultModel: 'changed' },
  'networkPolicy.registry.blocks': [{ cidr: '192.0.2.0/24' }],
  'networkPolicy.registry.ports': [8443],
  'networkPolicy.clients': [{ podSelector: {} }],
  'networkPolicy.dns': [{ podSelector: {} }],
  'networkPolicy.egress': [{ ports: [{ port: 6379 }] }],
}
const under: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    [
      'servedName',
      'image.repository',
      'image.tag',
      'image.digest',
      'image.pullPolicy',
      'command',
      'args',
      'bind',
      'probes.path',
    ].map((name) => [`model.${name}`, server]),
  ),
  'model.verify.publicKey.secret': verify({}),
  'model.verify.certificateChain.configMap': verify({}),
  'model.verify.certificateChain.secret': verify({}),
  'model.verify.certificateChain.key': verify({ certificateChain: { configMap: 'roots' } }),
  'model.verify.trustedRoot.configMap': verify({ trustedRoot: who }),
  'model.verify.trustedRoot.secret': verify({ trustedRoot: who }),
  ...Object.fromEntries(
    ['key', 'identity', 'identityProvider'].map((name) => [
      `model.verify.trustedRoot.${name}`,
      verify({ trustedRoot: { ...who, configMap: 'sigstore' } }),
    ]),
  ),
  'cache.existingClaim': { cache: { kind: 'existing', existingClaim: 'weights' } },
  'guard.profile': { guard: { mode: 'injected' } },
  'networkPolicy.posternNamespace': { guard: { mode: 'injected' } },
  'guard.identity.apiKeys.existingSecret': {},
  'guard.identity.jwtIssuers': {
    guard: {
      identity: { kind: 'jwt', jwtIssuers: [{ name: 'a', issuer: 'https://a.example', audiences: ['a'] }] },
    },
  },
  'guard.identity.anonymous.tenant': { guard: { identity: { kind: 'anonymous' } } },
  'guard.identity.anonymous.roles': { guard: { identity: { kind: 'anonymous' } } },
  'serviceAccount.create': { serviceAccount: { name: 'own' } },
  'autoscaling.minReplicas': scaling('hpa', 'cpu'),
  'autoscaling.maxReplicas': scaling('hpa', 'cpu'),
  'autoscaling.metric': scaling('hpa', 'cpu'),
  'autoscaling.cpuUtilization': scaling('hpa', 'cpu'),
  'autoscaling.requestsInFlight': scaling('hpa', 'guard'),
  'autoscaling.requestsWaiting': scaling('hpa', 'model'),
  'autoscaling.waitingMetric': scaling('keda', 'model'),
  'autoscaling.scaleDownSeconds': scaling('keda', 'model'),
  'autoscaling.prometheus': scaling('keda', 'model'),
}
