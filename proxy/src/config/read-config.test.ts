import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { stringify } from 'yaml'
import { readAccounts, readApiKeys } from './credential-files.ts'
import { configWarnings, explainConfig } from './explain.ts'
import { configJsonSchema } from './json-schema.ts'
import { maskedConfig } from './read-config.ts'
import { problems, read, small } from './test/read.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-config-'))
  writeFileSync(join(folder, 'token'), 's3cret-value\n')
  writeFileSync(join(folder, 'empty'), '\n')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a configuration', () => {
  test('of three lines is enough', () => {
    const config = read(small)
    expect(config.server.listen).toEqual({ host: '0.0.0.0', port: 8080 })
    expect(config.server.limits.bodyBytes).toBe(4 * 1024 * 1024)
    expect(config.server.drain).toEqual({ graceMs: 5000, deadlineMs: 25_000 })
    expect(config.admin.host).toBe('127.0.0.1')
  })

  test('as the example in the package is good', () => {
    const text = readFileSync(new URL('../../postern.example.yaml', import.meta.url), 'utf8')
    expect(text.startsWith('# yaml-language-server: $schema=./config.schema.json\n')).toBe(true)
    const config = read(text)
    expect(config.routes).toEqual([{ name: 'simple.llm', enabled: false, inspect: true, method: 'GET' }])
  })

  test('reads durations and sizes into numbers whose unit is in the name', () => {
    const { server, identity } = read(`
server: { limits: { requestTimeout: 1500ms, headersTimeout: 1s, body: 2MiB } }
identity: { jwt: { cache: 2m, issuers: [{ name: a, issuer: 'https://a.test', audiences: [x], claims: { tenant: t } }] } }
${small.split('\n').slice(1).join('\n')}`)
    expect(server.limits).toMatchObject({
      requestTimeoutMs: 1500,
      headersTimeoutMs: 1000,
      bodyBytes: 2_097_152,
    })
    expect(identity.jwt).toMatchObject({ cacheS: 120, issuers: [{ leewayS: 5, refreshS: 600 }] })
  })

  test('leaves out what was not given, so that the defaults of the parts count', () => {
    expect(Object.keys(read(small).identity)).toEqual(['anonymous'])
  })
})

describe('secrets', () => {
  const withCredential = (value: string): string =>
    small.replace(
      "url: 'http://127.0.0.1:8000'",
      `url: 'http://127.0.0.1:8000', credential: { value: ${value} }`,
    )

  test('come from files and from the environment, without the line break at the end', () => {
    const fromFile = read(withCredential(`{ file: ${join(folder, 'token')} }`))
    expect(fromFile.upstreams[0]!.credential!.value.reveal()).toBe('s3cret-value')
    const fromEnv = read(withCredential('{ env: KEY }'), { KEY: 'other-value' })
    expect(fromEnv.upstreams[0]!.credential!.value.reveal()).toBe('other-value')
  })

  test('are shown nowhere', () => {
    const config = read(withCredential(`{ file: ${join(folder, 'token')} }`))
    const shown = [
      JSON.stringify(maskedConfig(config)),
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      explainConfig(config).join('\n'),
      stringify(maskedConfig(config)),
    ]
    for (const text of shown) expect(text).not.toContain('s3cret')
    expect(shown[0]).toContain(`(secret, from file:${join(folder, 'token')})`)
  })

  test('written into the file are refused with the way to write them, and not repeated', () => {
    const [problem] = problems(withCredential('sk-live-1234'))
    expect(problem).toMatchObject({ path: 'upstreams[0].credential.value', line: 2 })
    expect(problem!.message).toContain('{file: /path/of/the/secret} or {env: NAME_OF_THE_VARIABLE}')
    expect(problem!.message).not.toContain('sk-live')
  })

  test('that are missing or empty are reported with their place', () => {
    expect(problems(withCredential('{ env: NOT_SET }'))[0]).toMatchObject({
      path: 'upstreams[0].credential.value',
      line: 2,
      message: 'env:NOT_SET is not set; set the environment variable NOT_SET',
    })
    expect(problems(withCredential('{ file: /nowhere }'))[0]!.message).toContain('cannot be read (ENOENT)')
    expect(problems(withCredential(`{ file: ${join(folder, 'empty')} }`))[0]!.message).toContain('is empty')
  })
})

describe('errors', () => {
  test('come all at once, with file, line and column', () => {
    const text = `${small}serve: {}\nadmin: { port: x }\npolicy: { engine: y, timeout: 5 }\n`
    expect(problems(text)).toHaveLength(4)
    expect(() => read(text)).toThrow('postern.yaml:5:16: admin.port: must be a number, but is text')
  })

  test('of many aliases are refused instead of unfolded', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...Array.from(
        { length: 8 },
        (_, i) => `${'bcdefghi'[i]!}: &${'bcdefghi'[i]!} [${Array(9).fill(`*${'abcdefgh'[i]!}`).join(',')}]`,
      ),
    ].join('\n')
    expect(problems(bomb)[0]!.message).toContain('cannot be read')
  })

  test('of deep nesting and of long files are errors, not crashes', () => {
    const deep = problems('['.repeat(100_000))
    expect(deep.length).toBeGreaterThan(0)
    expect(deep.length).toBeLessThanOrEqual(20)
    expect(problems(`a: "${'x'.repeat(8 * 1024 * 1024)}"`)[0]!.message).toContain('8 MiB')
  })

  test('never become anything but a ConfigError, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(problems(text).length).toBeGreaterThan(0)
      }),
      { numRuns: 300 },
    )
  })

  test('an empty file says what is needed', () => {
    expect(problems('').map(({ path }) => path)).toEqual(['upstreams', 'models'])
  })
})

describe('warnings', () => {
  const warned = (text: string): string => configWarnings(read(text, { K: 'v' })).join('\n')

  test('tell of plain http with a credential on another machine, and not on this one', () => {
    const remote = small.replace(
      "'http://127.0.0.1:8000'",
      "'http://models.internal:8000', credential: { value: { env: K } }",
    )
    expect(warned(remote)).toContain(
      'upstream local is plain http on another machine: its credential can be read',
    )
    expect(warned(small)).not.toContain('upstream local')
  })

  test('tell of anonymous callers, open admin ports and uninspected routes', () => {
    const text = warned(
      `${small}admin: { host: 0.0.0.0 }\nroutes: [{ name: x, path: /x, inspect: false, upstream: local }]\n`,
    )
    expect(text).toContain('everybody is served with the roles user')
    expect(text).toContain('the admin port is reachable at 0.0.0.0')
    expect(text).toContain('route x passes content without inspection')
  })

  test('stand in the explanation, behind what is on', () => {
    const lines = explainConfig(read(`${small}routes: [{ name: simple.llm, enabled: false }]`))
    expect(lines).toContain('route openai.chat: POST /v1/chat/completions')
    expect(lines).not.toContain('route simple.llm: POST /llm')
    expect(lines).toContain('routes off: simple.llm')
    expect(lines.some((line) => line.startsWith('warning: '))).toBe(true)
  })
})

describe('credential files', () => {
  test('are read strictly, and their errors do not repeat a password', () => {
    expect(
      readAccounts('- { name: ann, password: scrypt$16384$8$1$c2FsdA$aGFzaA, tenant: t, roles: [r] }', 'u'),
    ).toHaveLength(1)
    expect(() => readAccounts('- { name: ann, password: hunter2, tenant: t, roles: [r] }', 'u.yaml')).toThrow(
      /^u.yaml:1:26: \[0\].password: must be a scrypt hash/,
    )
    expect(() =>
      readApiKeys(`- { hash: 'sha256:${'0'.repeat(64)}', subject: s, tenant: t, rols: [] }`, 'k.yaml'),
    ).toThrow('did you mean roles?')
  })
})

describe('the JSON Schema', () => {
  test('in the package is the one of this code', () => {
    const file = readFileSync(new URL('../../config.schema.json', import.meta.url), 'utf8')
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
  })

  test('is closed everywhere and describes every value', () => {
    const undescribed: string[] = []
    const visit = (schema: ReturnType<typeof configJsonSchema>, path: string): void => {
      const { properties } = schema
      if (properties !== undefined) expect([path, schema.additionalProperties]).toEqual([path, false])
      for (const [key, held] of Object.entries(properties ?? {})) {
        const isGroup = held.properties !== undefined || held.items?.properties !== undefined
        if (held.description === undefined && !isGroup) undescribed.push(`${path}.${key}`)
        visit(held, `${path}.${key}`)
        if (held.items !== undefined) visit(held.items, `${path}.${key}[]`)
      }
    }
    visit(configJsonSchema(), '')
    expect(undescribed).toEqual([])
  })

  test('gives the limits document of the package', async () => {
    const { limitsDocument } = await import('./limits-document.ts')
    const file = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8')
    expect(file).toBe(limitsDocument(configJsonSchema()))
  })
})
