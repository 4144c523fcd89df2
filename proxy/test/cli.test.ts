import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt } from 'jose'
import { freePort } from '../demo/free-port.ts'
import { DEMO_KEY } from '../demo/script.ts'
import { startModel } from '../demo/model.ts'

const BIN = resolve(import.meta.dirname, '../bin/postern.mjs')

const postern = (args: readonly string[], input = ''): { code: number | null; out: string; err: string } => {
  const done = spawnSync(process.execPath, [BIN, ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  return { code: done.status, out: done.stdout, err: done.stderr }
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('postern', () => {
  test('does not run where every certificate would be taken', () => {
    const env = { ...process.env, NODE_OPTIONS: '', NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    const done = spawnSync(process.execPath, [BIN, 'serve', 'postern.yaml'], { encoding: 'utf8', env })
    expect(done.status).toBe(2)
    expect(done.stderr).toMatch(/^postern: NODE_TLS_REJECT_UNAUTHORIZED=0 .*caFile/m)
  })

  test('explains itself, and each command its exit codes', () => {
    expect(postern(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('postern COMMAND') })
    for (const command of [
      'serve',
      'check',
      'controller',
      'inject',
      'scan',
      'token',
      'respond',
      'explain',
      'evidence',
      'baseline',
      'probe',
      'audit',
    ]) {
      expect(postern([command, '--help'])).toMatchObject({
        code: 0,
        out: expect.stringMatching(/usage:[^]*exit codes/),
      })
    }
  })

  test('says what is wrong with a command line, and exits with 2', () => {
    expect(postern([])).toMatchObject({ code: 2 })
    expect(postern(['sevre'])).toMatchObject({ code: 2, err: expect.stringContaining("no command 'sevre'") })
    expect(postern(['scan', '--nope'])).toMatchObject({ code: 2, err: expect.stringContaining('--nope') })
    expect(postern(['audit', 'verify'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('postern audit verify LOG'),
    })
  })

  test('tells its version', () => {
    expect(postern(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  test('uses no colours when its output is not a terminal', () => {
    expect(postern(['--help']).out).not.toContain('\u001b')
  })
})

describe('postern scan', () => {
  test('finds places and rules, never shows the text, and exits with 1', () => {
    const { code, out } = postern(['scan'], `first line\nkey ${DEMO_KEY}\n`)
    expect(code).toBe(1)
    expect(out).toMatch(/^2:5 {2}aws-access-key {2}secret/)
    expect(out).not.toContain(DEMO_KEY)
  })

  test('lists the names of all rules', () => {
    expect(postern(['scan', '--rules'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^(?:[a-z_]+\t[a-z0-9-]+\n)+$/),
    })
    expect(postern(['scan', '--rules']).out).toContain('personal_data\tpayment-card\n')
  })

  test('gives JSON, or the text with what was found replaced', () => {
    expect(JSON.parse(postern(['scan', '--json'], `key ${DEMO_KEY}`).out)).toMatchObject({
      findings: [{ rule: 'aws-access-key', start: 4, end: 24, line: 1, column: 5 }],
    })
    expect(postern(['scan', '--redact', file('a.txt', `key ${DEMO_KEY}.`)]).out).toBe(
      'key [REDACTED_AWS_ACCESS_KEY].',
    )
  })

  test('exits with 0 when there is nothing, and with 3 when it cannot read', () => {
    expect(postern(['scan'], 'just words')).toMatchObject({ code: 0 })
    expect(postern(['scan', join(folder, 'missing')])).toMatchObject({
      code: 3,
      err: expect.stringContaining('missing'),
    })
    writeFileSync(join(folder, 'latin1'), Buffer.from([0x63, 0xe9]))
    expect(postern(['scan', join(folder, 'latin1')])).toMatchObject({
      code: 3,
      err: expect.stringContaining('UTF-8'),
    })
  })
})

const CONFIG = `identity: { anonymous: { roles: [user] } }
upstreams: [{ name: demo, url: 'http://127.0.0.1:9' }]
models: [{ name: demo-small, targets: [{ upstream: demo }] }]
audit: { stdout: true }
`

describe('postern check', () => {
  test('explains a good file', () => {
    expect(postern(['check', file('good.yaml', CONFIG)])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/listens on[^]*good\.yaml is good/),
    })
    expect(JSON.parse(postern(['check', '--json', file('good.yaml', CONFIG)]).out)).toMatchObject({
      config: { server: { listen: { port: 8080 } } },
      warnings: expect.any(Array),
    })
  })

  test('asks nobody about callers that somebody else vouches for', () => {
    const issuer = "{ name: corp, issuer: 'https://idp.example.com', audiences: [x], claims: { tenant: t } }"
    const text = CONFIG.replace(/^identity.*\n/, `identity: { jwt: { issuers: [${issuer}] } }\n`)
    expect(postern(['check', file('jwt.yaml', text)])).toMatchObject({ code: 0 })
  })

  test('lists everything that is wrong with a bad one, with places', () => {
    const { code, err } = postern([
      'check',
      file('bad.yaml', `${CONFIG}sevrer: {}\nlimits: { store: paper }\n`),
    ])
    expect(code).toBe(2)
    expect(err).toMatch(/bad\.yaml:5:1: .*server/)
    expect(err).toMatch(/bad\.yaml:6:\d+: limits\.store/)
  })
})

describe('postern check --document', () => {
  test('does not look for what only the pod has', () => {
    const inPod = file('pod.yaml', `${CONFIG}telemetry: {}\npolicy: { dataFile: /nowhere/data.json }\n`)
    expect(postern(['check', inPod])).toMatchObject({ code: 2, err: expect.stringContaining('/nowhere') })
    expect(postern(['check', '--document', inPod])).toMatchObject({ code: 0 })
    const wrong = file('wrong.yaml', `${CONFIG}policy: { engine: opa }\n`)
    expect(postern(['check', '--document', wrong])).toMatchObject({
      code: 2,
      err: expect.stringContaining('url'),
    })
  })
})

describe('postern check, on the files that a configuration names,', () => {
  const checked = (more: string, identity = 'anonymous: { roles: [user] }') =>
    postern([
      'check',
      file('files.yaml', `${CONFIG.replace(/^identity.*\n/, `identity: { ${identity} }\n`)}${more}`),
    ])

  test('refuses keys that serve would refuse, and shows none', () => {
    const keys = file('keys.yaml', '- { hash: secret-instead-of-hash, subject: a, tenant: t, roles: [] }\n')
    const { code, err } = checked('', `apiKeys: { file: ${keys} }`)
    expect(code).toBe(2)
    expect(err).toContain(`${keys}:1:11: [0].hash: must be sha256: and 64 hex digits`)
    expect(err).not.toContain('secret-instead')
  })

  test('refuses policy data, bundles and certificates that are none, and rules that do not exist', () => {
    const text = file('plain.txt', 'plain text')
    for (const section of [
      `policy: { dataFile: ${text} }`,
      `policy: { bundle: ${text} }`,
      `server: { tls: { certFile: ${text}, keyFile: ${text} } }`,
    ])
      expect(checked(section)).toMatchObject({ code: 2, err: expect.stringContaining('plain.txt') })
    expect(checked('inspection: { disableRules: [no-such-rule] }')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no-such-rule'),
    })
  })

  test('says where it looked for a relative path', () => {
    expect(checked('', 'apiKeys: { file: nowhere.yaml }')).toMatchObject({
      code: 2,
      err: expect.stringContaining(`taken as ${resolve('nowhere.yaml')}`),
    })
  })
})

describe('postern token', () => {
  test('makes keys, password hashes and tokens', () => {
    expect(JSON.parse(postern(['token', 'key', '--json']).out)).toEqual({
      key: expect.stringMatching(/^pk-/),
      hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    })
    expect(postern(['token', 'password'], 'correct horse').out).toMatch(/^scrypt\$/)
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    })
    const local = `identity: { local: { issuer: 'https://guard.example', audience: llm, keyFile: ${file('key.pem', key.toString())} } }\n`
    const config = file('local.yaml', CONFIG.replace(/^identity.*\n/, local))
    const { out } = postern([
      'token',
      'issue',
      '--config',
      config,
      '--subject',
      'ci',
      '--tenant',
      'tools',
      '--role',
      'service',
    ])
    expect(decodeJwt(out.trim())).toMatchObject({ iss: 'https://guard.example', aud: 'llm', sub: 'ci' })
  })
})

describe('postern serve', () => {
  const start = async (text: string) => {
    const child = spawn(process.execPath, [BIN, 'serve', file('serve.yaml', text)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let log = ''
    child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()))
    const exited = new Promise<number | null>((done) => child.once('exit', done))
    while (!log.includes('"serving"') && child.exitCode === null)
      await new Promise((done) => setTimeout(done, 20))
    const port = /"port":(\d+)/.exec(log)?.[1]
    return { child, exited, url: `http://127.0.0.1:${port}`, log: () => log }
  }

  test('drains on SIGTERM: the stream that runs is finished, then it exits with 0', async () => {
    const model = await startModel({ paceMs: 50 })
    const auditFile = join(folder, 'serve-audit.log')
    const guard = await start(
      CONFIG.replace('http://127.0.0.1:9', model.url)
        .replace('{ stdout: true }', `{ file: ${auditFile} }`)
        .concat(
          'server: { listen: { host: 127.0.0.1, port: 0 }, drain: { grace: 0s } }\nadmin: { port: 0 }\n',
        ),
    )
    const answer = await fetch(`${guard.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'demo-small',
        stream: true,
        messages: [{ role: 'user', content: 'one two three four five six' }],
      }),
    })
    const text = answer.text()
    guard.child.kill('SIGTERM')
    expect(await text).toContain('[DONE]')
    expect(await guard.exited).toBe(0)
    expect(postern(['audit', 'verify', auditFile])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^whole/),
    })
    writeFileSync(auditFile, readFileSync(auditFile, 'utf8').replace('"allowed"', '"refused"'))
    expect(postern(['audit', 'verify', auditFile])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^not whole/),
    })
    await model.close()
  })

  test('names the port that is in use, and does not go on listening on the other', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const text = `${CONFIG}server: { listen: { host: 127.0.0.1, port: 0 } }\nadmin: { port: ${port} }\n`
    const auditFile = join(folder, 'not-started.log')
    const config = file('taken.yaml', text.replace('{ stdout: true }', `{ file: ${auditFile} }`))
    expect(postern(['serve', config])).toMatchObject({
      code: 3,
      err: expect.stringContaining(`127.0.0.1:${port} is in use`),
    })
    expect(readFileSync(auditFile, 'utf8')).toContain('"type":"close"')
    taken.close()
  })

  test('takes its configuration and its pod from the environment, as the injector writes them', async () => {
    const model = await startModel({})
    const pod = {
      listen: { address: 'pod', port: await freePort() },
      adminPort: await freePort(),
      modelUrl: model.url,
      models: ['demo-small'],
      probes: [],
      drainSeconds: 5,
    }
    const child = spawn(process.execPath, [BIN, 'serve', 'env:POSTERN_CONFIG', '--pod', 'env:POSTERN_POD'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        POSTERN_CONFIG: CONFIG.replace('name: demo,', 'name: model,').replace(
          'upstream: demo',
          'upstream: model',
        ),
        POSTERN_POD: JSON.stringify(pod),
        POD_IP: '127.0.0.1',
      },
    })
    let log = ''
    child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()))
    while (!log.includes('"serving"') && child.exitCode === null)
      await new Promise((done) => setTimeout(done, 20))
    const ready = await fetch(`http://127.0.0.1:${pod.adminPort}/readyz`)
    expect(ready.status).toBe(200)
    const answer = await fetch(`http://127.0.0.1:${pod.listen.port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo-small', messages: [{ role: 'user', content: 'hello' }] }),
    })
    expect(answer.status).toBe(200)
    child.kill('SIGTERM')
    await once(child, 'exit')
    await model.close()
  }, 60_000)

  test('says which variable is empty or wrong', () => {
    expect(postern(['serve', 'env:NOT_SET'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('NOT_SET'),
    })
    expect(postern(['serve', file('pod-file.yaml', CONFIG), '--pod', 'pod.json'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('env:NAME'),
    })
  })

  test('says what is wrong instead of starting', () => {
    expect(postern(['serve', file('wrong.yaml', 'models: []')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('wrong.yaml:'),
    })
  })
})
