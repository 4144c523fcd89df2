import { expect, test } from '@jest/globals'
import { tmpdir } from 'node:os'
import type { Problem } from './problems.ts'
import { problems, small } from './test/read.ts'

/** What is added behind the small configuration (from line 4), and what must be said about it. */
const mistakes: readonly (readonly [string, string, Partial<Problem>])[] = [
  [
    'an unknown key',
    'serve: {}',
    { path: 'serve', line: 4, column: 1, message: 'unknown key; did you mean server?' },
  ],
  [
    'an unknown key deep down',
    'server:\n  listen:\n    prot: 1',
    { path: 'server.listen.prot', line: 6, column: 5, message: 'unknown key; did you mean port?' },
  ],
  [
    'an unknown key like no other',
    'admin: { xyzzy: 1 }',
    { path: 'admin.xyzzy', message: 'unknown key; remove it, or use one of: host, port, ui' },
  ],
  ['a prototype as key', '__proto__: { a: 1 }', { path: '__proto__', line: 4 }],
  [
    'text for a number',
    'admin: { port: "80" }',
    { path: 'admin.port', line: 4, column: 16, message: 'must be a number, but is text' },
  ],
  [
    'a number for a section',
    'server: 5',
    { path: 'server', line: 4, message: 'must be a section with keys, but is a number' },
  ],
  ['a port that is none', 'admin: { port: 70000 }', { path: 'admin.port', message: 'must be at most 65535' }],
  [
    'a fraction',
    'admin: { port: 80.5 }',
    { path: 'admin.port', message: 'must be a whole number, but is a number' },
  ],
  [
    'a word from no list',
    'policy: { engine: cedar }',
    { path: 'policy.engine', message: 'must be one of: wasm, opa' },
  ],
  [
    'a duration without a unit',
    'server: { drain: { grace: 5 } }',
    {
      path: 'server.drain.grace',
      message: 'write a number and a unit (ms, s, m, h, d) as text, such as "30s"',
    },
  ],
  [
    'a duration with a foreign unit',
    'server: { drain: { grace: 5sec } }',
    {
      path: 'server.drain.grace',
      message: 'write a number and a unit (ms, s, m, h, d) as text, such as "30s"',
    },
  ],
  [
    'a duration out of bounds',
    'server: { drain: { grace: 2h } }',
    { path: 'server.drain.grace', message: 'must be from 0s to 5m' },
  ],
  [
    'a size without a unit',
    'server: { limits: { body: 4096 } }',
    {
      path: 'server.limits.body',
      message: 'write a number and a unit (B, KiB, MiB, GiB) as text, such as "1MiB"',
    },
  ],
  [
    'a key given twice',
    'admin: { port: 1, port: 2 }',
    { line: 4, message: 'is not valid YAML: Map keys must be unique' },
  ],
  ['a second document', '---\na: 1', { line: 4 }],
  ['a tag', 'admin: !!js/function "x"', { line: 4 }],
  [
    'equal ports',
    'server: { listen: { port: 9 } }\nadmin: { port: 9 }',
    { path: 'admin.port', line: 5, message: 'is the port of server.listen too; give the admin port its own' },
  ],
  [
    'a deadline before the grace ends',
    'server: { drain: { grace: 9s, deadline: 1s } }',
    { path: 'server.drain.deadline', message: 'must not be shorter than grace; raise it' },
  ],
  [
    'headers that may take longer than the request',
    'server: { limits: { headersTimeout: 2m } }',
    {
      path: 'server.limits.headersTimeout',
      message: 'must not be longer than requestTimeout; lower it or raise requestTimeout',
    },
  ],
  [
    'a file that is not there',
    'policy: { dataFile: /nowhere/data.json }',
    {
      path: 'policy.dataFile',
      line: 4,
      message: '/nowhere/data.json cannot be read (ENOENT); mount the file or correct the path',
    },
  ],
  [
    'a folder for a file',
    `policy: { dataFile: ${tmpdir()} }`,
    { path: 'policy.dataFile', message: `${tmpdir()} is a folder; name the file in it` },
  ],
  [
    'client certificates without a CA',
    'server: { tls: { certFile: /dev/null, keyFile: /dev/null, clientAuth: required } }',
    {
      path: 'server.tls.clientAuth',
      message: 'is required: add clientCaFile with the CA that signs client certificates',
    },
  ],
  [
    'a client CA without effect',
    'server: { tls: { certFile: /dev/null, keyFile: /dev/null, clientCaFile: /dev/null } }',
    { path: 'server.tls.clientCaFile' },
  ],
  [
    'an OPA server without address',
    'policy: { engine: opa }',
    { path: 'policy.engine', message: 'is opa: add url, the address of the OPA server' },
  ],
  [
    'an OPA server with a bundle',
    'policy: { engine: opa, url: "http://o", bundle: /dev/null }',
    { path: 'policy.engine' },
  ],
  ['an OPA address without effect', 'policy: { url: "http://o" }', { path: 'policy.url' }],
  [
    'Redis without address',
    'limits: { store: redis }',
    { path: 'limits.store', message: 'is redis: add limits.redis with its url' },
  ],
  ['Redis without effect', 'limits: { redis: { url: "redis://r" } }', { path: 'limits.redis' }],
  [
    'a password in a URL',
    'limits: { store: redis, redis: { url: "redis://:pw@r" } }',
    { path: 'limits.redis.url', message: 'must not hold a user or password: use the keys for credentials' },
  ],
  ['a URL of a foreign scheme', 'policy: { engine: opa, url: "ftp://o" }', { path: 'policy.url' }],
  [
    'an unknown route',
    'routes: [{ name: openai.chta, enabled: false }]',
    { path: 'routes[0].name', message: 'there is no built-in route openai.chta; did you mean openai.chat?' },
  ],
  [
    'a built-in route that is not inspected',
    'routes: [{ name: openai.chat, inspect: false }]',
    { path: 'routes[0].inspect' },
  ],
  ['a built-in route elsewhere', 'routes: [{ name: openai.chat, path: /x }]', { path: 'routes[0].name' }],
  [
    'a new route that is inspected',
    'routes: [{ name: x, path: /x, upstream: local }]',
    {
      path: 'routes[0].name',
      message: 'only built-in routes can be inspected; say inspect: false to pass this one unread',
    },
  ],
  [
    'a route without an upstream',
    'routes: [{ name: x, path: /x, inspect: false }]',
    { path: 'routes[0].name', message: 'needs an upstream' },
  ],
  [
    'a route to an unknown upstream',
    'routes: [{ name: x, path: /x, inspect: false, upstream: loca }]',
    { path: 'routes[0].upstream', message: 'there is no upstream loca; did you mean local?' },
  ],
  [
    'a route on a built-in path',
    'routes: [{ name: x, path: /llm, method: POST, inspect: false, upstream: local }]',
    { path: 'routes[0].path' },
  ],
  [
    'a route given twice',
    'routes: [{ name: auth }, { name: auth }]',
    { path: 'routes[1].name', message: 'is there twice; each must be unique' },
  ],
  [
    'a path that is no plain path',
    'routes: [{ name: x, path: /a/../b, inspect: false, upstream: local }]',
    { path: 'routes[0].path' },
  ],
  [
    'an unknown default model',
    'defaultModel: n',
    { path: 'defaultModel', line: 4, message: 'there is no model n; did you mean m?' },
  ],
]

test.each(mistakes)('%s is reported with place and advice', (_what, yaml, expected) => {
  const found = problems(small + yaml)
  expect(found).toContainEqual(expect.objectContaining(expected))
  for (const { line, column, message } of found) {
    expect(line).toBeGreaterThan(0)
    expect(column).toBeGreaterThan(0)
    expect(message).not.toMatch(/\[object|undefined$/)
  }
})

/** Instead of the small configuration. */
const parts = {
  up: "upstreams: [{ name: local, url: 'http://127.0.0.1:8000' }]",
  mo: 'models: [{ name: m, targets: [{ upstream: local }] }]',
  id: 'identity: { anonymous: { roles: [user] } }',
}
const wholes: readonly (readonly [string, readonly string[], Partial<Problem>])[] = [
  ['no upstreams', [parts.id, parts.mo], { path: 'upstreams', message: 'is missing; add it' }],
  [
    'no models',
    [parts.id, parts.up, 'models: []'],
    { path: 'models', line: 3, message: 'must have at least 1 entry' },
  ],
  [
    'no identity',
    [parts.up, parts.mo],
    {
      path: 'identity',
      message:
        'no caller could be known; add one of: certificates, jwt, local, serviceAccounts, apiKeys, anonymous',
    },
  ],
  [
    'a model of an unknown upstream',
    [parts.id, parts.up, 'models: [{ name: m, targets: [{ upstream: lokal }] }]'],
    {
      path: 'models[0].targets[0].upstream',
      line: 3,
      message: 'there is no upstream lokal; did you mean local?',
    },
  ],
  [
    'a fallback to an unknown upstream',
    [
      parts.id,
      parts.up,
      'models: [{ name: m, targets: [{ upstream: local }], fallback: [{ upstream: x }] }]',
    ],
    { path: 'models[0].fallback[0].upstream' },
  ],
  [
    'a model without weight',
    [parts.id, parts.up, 'models: [{ name: m, targets: [{ upstream: local, weight: 0 }] }]'],
    { path: 'models[0].targets', message: 'all weights are 0; give one target a weight' },
  ],
  [
    'a pattern as default model',
    [parts.id, parts.up, "models: [{ name: 'm*', targets: [{ upstream: local }] }]"],
    { path: 'models[0].name' },
  ],
  [
    'an order that leaves one out',
    ['identity: { order: [jwt], anonymous: { roles: [] } }', parts.up, parts.mo],
    {
      path: 'identity.order',
      line: 1,
      message: 'leaves out anonymous, which is configured; add it or remove identity.anonymous',
    },
  ],
  [
    'an order of what is not there',
    ['identity: { order: [jwt, anonymous], anonymous: { roles: [] } }', parts.up, parts.mo],
    { path: 'identity.order[0]' },
  ],
  [
    'certificates without TLS',
    ['identity: { certificates: { trustDomains: [a] } }', parts.up, parts.mo],
    { path: 'identity.certificates', message: 'needs server.tls with clientAuth required or optional' },
  ],
  [
    'SPIFFE without trust domains',
    ['identity: { certificates: {} }', parts.up, parts.mo],
    { path: 'identity.certificates', message: 'needs trustDomains for subject spiffe' },
  ],
  [
    'a local issuer without accounts',
    ['identity: { local: { issuer: a, audience: b } }', parts.up, parts.mo],
    { path: 'identity.local' },
  ],
  [
    'an issuer without a tenant',
    [
      "identity: { jwt: { issuers: [{ name: a, issuer: 'https://a.test', audiences: [x] }] } }",
      parts.up,
      parts.mo,
    ],
    { path: 'identity.jwt.issuers[0].claims' },
  ],
  [
    'an issuer whose keys travel openly',
    [
      "identity: { jwt: { issuers: [{ name: a, issuer: 'http://a.test', audiences: [x], claims: { tenant: t } }] } }",
      parts.up,
      parts.mo,
    ],
    { path: 'identity.jwt.issuers[0].issuer' },
  ],
  [
    'an issuer that is no address',
    [
      'identity: { jwt: { issuers: [{ name: a, issuer: corp, audiences: [x], claims: { tenant: t } }] } }',
      parts.up,
      parts.mo,
    ],
    {
      path: 'identity.jwt.issuers[0].issuer',
      message: 'is not a URL, so its keys cannot be discovered; add jwksUrl',
    },
  ],
  [
    'keys older than their refresh',
    [
      "identity: { jwt: { issuers: [{ name: a, issuer: 'https://a.test', audiences: [x], maxStale: 20s, claims: { tenant: t } }] } }",
      parts.up,
      parts.mo,
    ],
    { path: 'identity.jwt.issuers[0].maxStale' },
  ],
  [
    'TLS on plain http',
    [parts.id, "upstreams: [{ name: local, url: 'http://a', tls: { certFile: /dev/null } }]", parts.mo],
    { path: 'upstreams[0].tls', message: 'has no effect on an http URL; use https or remove it' },
  ],
  [
    'half a client certificate',
    [parts.id, "upstreams: [{ name: local, url: 'https://a', tls: { certFile: /dev/null } }]", parts.mo],
    { path: 'upstreams[0].tls', message: 'certFile and keyFile belong together; give both or none' },
  ],
  [
    'SPIFFE upstreams of public authorities',
    [
      parts.id,
      "upstreams: [{ name: local, url: 'https://a', tls: { spiffeIds: ['spiffe://a/b'] } }]",
      parts.mo,
    ],
    { path: 'upstreams[0].tls.spiffeIds' },
  ],
  [
    'a total before the headers',
    [parts.id, "upstreams: [{ name: local, url: 'http://a', timeouts: { total: 1s } }]", parts.mo],
    { path: 'upstreams[0].timeouts' },
  ],
  [
    'a query in an upstream',
    [parts.id, "upstreams: [{ name: local, url: 'http://a/?x=1' }]", parts.mo],
    { path: 'upstreams[0].url', message: 'must not have a query; remove it' },
  ],
]

test.each(wholes)('%s is reported with place and advice', (_what, yaml, expected) => {
  expect(problems(yaml.join('\n'))).toContainEqual(expect.objectContaining(expected))
})
