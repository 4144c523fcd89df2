import { expect, test } from '@jest/globals'
import { readControllerConfig } from './controller-config.ts'

const LEAST = 'namespace: postern\ninjection: { version: 0.1.0, image: "ghcr.io/postern/postern:0.1.0" }\n'

test('what is not written has its documented value', () => {
  const config = readControllerConfig(LEAST, 'controller.yaml')
  expect(config).toMatchObject({
    listen: { host: '0.0.0.0', port: 8443 },
    admin: { port: 8081 },
    service: { name: 'postern-controller', clusterDomain: 'cluster.local' },
    certificates: {
      source: 'own',
      secret: 'postern-ca',
      caDays: 365,
      workloadHours: 24,
      webhooks: ['postern'],
    },
    leaderElection: { leaseSeconds: 15, renewSeconds: 10, retrySeconds: 2 },
  })
})

test('every mistake is told at once, with its place and what to do', () => {
  const bad = `${LEAST}listen: { port: 70000 }\nadmim: {}\ncertificates: { sorce: own, caDays: 1 }\n`
  expect(() => readControllerConfig(bad, 'c.yaml')).toThrow(
    /c.yaml:3:\d+: listen.port: must be at most 65535[\s\S]*certificates.caDays: must be at least 2[\s\S]*did you mean source\?[\s\S]*admim: unknown key; did you mean admin\?/,
  )
})

test.each([
  ['leaderElection: { leaseSeconds: 10 }', /leaderElection\.?\w*: must be less than leaseSeconds/],
  ['leaderElection: { retrySeconds: 10 }', /must be less than renewSeconds/],
  ['certificates: { caDays: 3 }', /certificates.caDays: is too short/],
  ['admin: { port: 8443 }', /admin.port: is the port of listen too/],
])('%s is refused, since it cannot work with the rest', (line, message) => {
  expect(() => readControllerConfig(LEAST + line, 'c.yaml')).toThrow(message)
})
