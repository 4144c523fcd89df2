import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEMO_KEY } from '../demo/script.ts'
import { verifyAudit } from '../src/audit/verify.ts'
import { startTestGuard, type TestGuard } from './start.ts'

const CANARY = 'the canary sings at 4711'
const chat = (content: string, more: object = {}): object => ({
  model: 'demo-small',
  messages: [{ role: 'user', content }],
  ...more,
})

interface Sent {
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  readonly path?: string
}

const send = (
  guard: TestGuard,
  { body, headers, signal, path = '/v1/chat/completions' }: Sent,
): Promise<Response> =>
  fetch(guard.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${guard.keys.developer}`,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })

interface ErrorBody {
  readonly error: { readonly message: string; readonly code: string }
}
const errorOf = async (response: Response): Promise<ErrorBody['error']> =>
  ((await response.json()) as ErrorBody).error

describe('in front of the demo model', () => {
  let guard: TestGuard
  beforeAll(async () => {
    guard = await startTestGuard()
  })
  afterAll(() => guard.close())

  test('no credential and no header off the list reaches the model server', async () => {
    await send(guard, {
      body: chat('Hello'),
      headers: { 'x-forwarded-for': '1.2.3.4', 'x-custom': CANARY, cookie: CANARY },
    })
    const { headers } = guard.model.received.at(-1) ?? { headers: {} }
    expect(Object.keys(headers).sort()).toEqual(
      [
        'accept',
        'accept-encoding',
        'connection',
        'content-length',
        'content-type',
        'host',
        'traceparent',
      ].filter((name) => name in headers),
    )
    expect(JSON.stringify(headers)).not.toContain(guard.keys.developer)
  })

  test('what is sent was built by the guard: white space, key order of duplicates and escapes of the client are gone', async () => {
    await send(guard, {
      body: '{ "messages" : [ { "content":"\\u0048ello", "role":"user" } ],\n "model":"demo-small" }',
    })
    expect(guard.model.received.at(-1)?.body).toEqual({ ...chat('Hello'), max_tokens: 16_384 })
  })

  test('no content shows in logs, metrics, or the audit log', async () => {
    for (const stream of [false, true]) {
      const answer = await send(guard, { body: chat(`${CANARY} and the deploy key ${DEMO_KEY}`, { stream }) })
      await answer.text()
    }
    await (await send(guard, { body: chat(CANARY, { [CANARY]: 1 }) })).text()
    await guard.records()
    const metrics = await (await fetch(`${guard.adminUrl}/metrics`)).text()
    const audit = readFileSync(guard.auditFile, 'utf8')
    for (const text of [metrics, audit, guard.logged()]) {
      expect(text).not.toContain('canary')
      expect(text).not.toContain(DEMO_KEY)
      expect(text).not.toContain(guard.keys.developer)
    }
    expect(metrics).toMatch(/postern_findings_total\{.*aws-access-key.*\} [1-9]/)
  })

  test('every exchange leaves one record, refused ones and unknown routes too, and the log verifies', async () => {
    const before = (await guard.records()).length
    const answers = [
      await send(guard, { body: chat('Hello') }),
      await send(guard, { body: chat('Hello', { stream: true }) }),
      await send(guard, { body: 'no json' }),
      await send(guard, { body: chat('Hello'), headers: { authorization: 'Bearer nonsense' } }),
      await send(guard, { body: chat('Hello'), path: '/v1/files' }),
    ]
    for (const answer of answers) await answer.text()
    const records = (await guard.records()).slice(before)
    expect(records.map(({ id }) => id).sort()).toEqual(
      answers.map((answer) => answer.headers.get('x-request-id')).sort(),
    )
    expect(records.map(({ status }) => status).sort()).toEqual([200, 200, 400, 401, 404])
    expect(await verifyAudit(guard.auditFile)).toMatchObject({ ok: true })
  })

  test('a record names caller, decision, findings by place, and texts by hash', async () => {
    const answer = await send(guard, { body: chat(`key ${DEMO_KEY}`) })
    await answer.text()
    const record = (await guard.records()).find(({ id }) => id === answer.headers.get('x-request-id'))
    expect(record).toMatchObject({ outcome: 'redacted', caller: { subject: 'developer-1' }, status: 200 })
    expect(record?.findings[0]).toMatchObject({
      rule: 'aws-access-key',
      action: 'redact',
      path: '/messages/0/content',
      direction: 'request',
    })
    expect(record?.texts.map(({ sha256 }) => sha256)).toContain(
      createHash('sha256').update(`key ${DEMO_KEY}`).digest('hex'),
    )
    expect(record?.tokens).toMatchObject({ output: expect.any(Number) })
    expect(answer.headers.get('x-postern-rules')).toBe('aws-access-key')
  })

  test('a secret that is split over the parts of a request is not hidden in any channel', async () => {
    const hidden = [
      {
        messages: [
          { role: 'system', content: DEMO_KEY },
          { role: 'user', content: 'x' },
        ],
      },
      { messages: [{ role: 'user', content: [{ type: 'text', text: DEMO_KEY }] }] },
      { messages: [{ role: 'user', name: 'n', content: 'x' }], stop: [DEMO_KEY] },
      {
        messages: [{ role: 'user', content: 'x' }],
        tools: [{ type: 'function', function: { name: 'f', description: DEMO_KEY } }],
      },
      {
        messages: [{ role: 'user', content: 'x' }],
        tools: [
          {
            type: 'function',
            function: {
              name: 'f',
              parameters: { type: 'object', properties: { [DEMO_KEY]: { type: 'string' } } },
            },
          },
        ],
      },
      { messages: [{ role: 'user', content: 'x' }], metadata: { note: DEMO_KEY } },
      { messages: [{ role: 'user', content: 'x' }], user: DEMO_KEY },
    ]
    for (const body of hidden) {
      const before = guard.model.received.length
      const answer = await send(guard, { body: { model: 'demo-small', ...body } })
      expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)])
      expect(guard.model.received.length).toBe(before + 1)
      expect(JSON.stringify(guard.model.received.at(-1)?.body)).not.toContain(DEMO_KEY)
    }
  })

  test('every line of the audit log is as proxy/audit.schema.json says', async () => {
    await guard.records()
    const schema = JSON.parse(
      readFileSync(new URL('../audit.schema.json', import.meta.url), 'utf8'),
    ) as object
    const validate = new Ajv({ strict: false }).compile(schema)
    const lines = readFileSync(guard.auditFile, 'utf8').trimEnd().split('\n')
    const wrong = lines.filter((line) => !validate(JSON.parse(line)))
    expect(wrong).toEqual([])
    const records = (await guard.records()) as readonly object[]
    // What older guards did not write is optional in the schema, and is always written now.
    for (const member of ['decisions', 'span', 'stream', 'answered', 'versions']) {
      expect(records.filter((record) => member in record).length).toBe(records.length)
    }
    expect(records).toContainEqual(
      expect.objectContaining({
        versions: { guard: expect.stringMatching(/^\d/), rules: expect.stringMatching(/^[0-9a-f]{16}$/) },
      }),
    )
    const findings = records.flatMap((record) => (record as { findings: readonly object[] }).findings)
    expect(findings.length).toBeGreaterThan(0)
    for (const finding of findings) {
      expect(finding).toEqual(
        expect.objectContaining({ category: expect.any(String), by: expect.any(String) }),
      )
    }
  })

  test('the admin port tells its state and masks secrets', async () => {
    for (const page of ['/livez', '/readyz', '/healthz', '/coverage', '/config', '/metrics']) {
      expect([page, (await fetch(guard.adminUrl + page)).status]).toEqual([page, 200])
    }
  })

  test('a new configuration counts from the next request on, and a bad one changes nothing', async () => {
    const { models } = guard.config()
    await guard.running.apply(
      guard.config({ models: [{ name: 'renamed', targets: [{ upstream: 'demo', model: 'demo-small' }] }] }),
    )
    expect((await send(guard, { body: chat('Hello') })).status).toBe(404)
    expect((await send(guard, { body: { ...chat('Hello'), model: 'renamed' } })).status).toBe(200)
    await expect(
      guard.running.apply(guard.config({ inspection: { disableRules: ['no-such-rule'] } })),
    ).rejects.toThrow(/no-such-rule/)
    expect((await send(guard, { body: { ...chat('Hello'), model: 'renamed' } })).status).toBe(200)
    await guard.running.apply(guard.config({ models }))
  })
})

describe('in front of a model server that misbehaves', () => {
  let upstream: Server
  let behave: (response: ServerResponse) => void = (response) => void response.end()
  let gone: Promise<void> = Promise.resolve()
  let guard: TestGuard
  beforeAll(async () => {
    upstream = createServer((request, response) => {
      gone = new Promise((resolve) => response.once('close', resolve))
      request.resume()
      request.once('end', () => behave(response))
    })
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    const { port } = upstream.address() as AddressInfo
    guard = await startTestGuard({ upstream: `http://127.0.0.1:${port}` })
  })
  afterAll(async () => {
    await guard.close()
    upstream.closeAllConnections()
    await new Promise((resolve) => upstream.close(resolve))
  })

  const json =
    (body: string, status = 200) =>
    (response: ServerResponse) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body)
    }
  const events =
    (...data: readonly string[]) =>
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(data.map((one) => `data: ${one}\n\n`).join(''))
    }
  const chunk = (content: string, more: object = {}): string =>
    JSON.stringify({
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }],
    })

  test.each<[string, (response: ServerResponse) => void, boolean, number, string]>([
    [
      'HTML',
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<b>hi</b>'),
      false,
      502,
      'model_answer_invalid',
    ],
    ['no JSON', json('{'), false, 502, 'model_answer_invalid'],
    ['JSON with a doubled key', json('{"choices":[],"choices":[]}'), false, 502, 'model_answer_invalid'],
    [
      'an unknown key that holds text',
      json(
        '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"a","hidden_text":"a long sentence that nobody has read before, and which is longer than any name or id would be."}}]}',
      ),
      false,
      502,
      'model_answer_invalid',
    ],
    [
      'a redirect',
      (response) => void response.writeHead(302, { location: 'http://127.0.0.1/' }).end(),
      false,
      502,
      'model_answer_invalid',
    ],
    ['500', json('{"error":{"message":"boom"}}', 500), false, 503, 'model_unavailable'],
    ['401 for the guard itself', json('{"error":{"message":"who?"}}', 401), false, 503, 'model_unavailable'],
    ['a closed connection', (response) => void response.destroy(), false, 503, 'model_unavailable'],
    ['JSON to a request for a stream', json('{}'), true, 502, 'model_answer_invalid'],
    ['a stream to a request for JSON', events('[DONE]'), false, 502, 'model_answer_invalid'],
    ['an error as the first event', events('{"error":{"message":"no"}}'), true, 503, 'model_unavailable'],
    ['an event that is no JSON', events('{'), true, 502, 'model_answer_invalid'],
  ])('%s becomes a clear refusal', async (...row) => {
    const [, behaviour, stream, status, code] = row
    behave = behaviour
    const answer = await send(guard, { body: chat('Hello', { stream }) })
    expect([answer.status, (await errorOf(answer)).code]).toEqual([status, code])
  })

  test('its refusals are passed on, and a secret in their message is not', async () => {
    behave = json(
      JSON.stringify({
        error: { message: `context too long near ${DEMO_KEY}`, type: 'invalid_request_error' },
      }),
      400,
    )
    const answer = await send(guard, { body: chat('Hello') })
    expect(answer.status).toBe(400)
    expect((await errorOf(answer)).message).toContain('context too long near [REDACTED_AWS_ACCESS_KEY]')
  })

  test('a stream that breaks off ends with an error event and without a clean ending', async () => {
    behave = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${chunk('Hello ')}\n\n`)
      setTimeout(() => response.destroy(), 50)
    }
    const text = await (await send(guard, { body: chat('Hello', { stream: true }) })).text()
    expect(text).toContain('Hello ')
    expect(text).toMatch(/data: \{"error":.*model_unavailable/)
    expect(text).not.toContain('[DONE]')
  })

  test('what was held back when a stream breaks off never leaves', async () => {
    behave = events(chunk(`It is ${DEMO_KEY.slice(0, 12)}`))
    const text = await (await send(guard, { body: chat('Hello', { stream: true }) })).text()
    expect(text).toContain('It is ')
    expect(text).not.toContain(DEMO_KEY.slice(0, 8))
  })

  test('a client that leaves cancels the call to the model, and leaves its record', async () => {
    behave = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${chunk('Hello ')}\n\n`)
    }
    const leaving = new AbortController()
    const answer = await send(guard, { body: chat('Hello', { stream: true }), signal: leaving.signal })
    await answer.body?.getReader().read()
    leaving.abort()
    await gone
    const record = (await guard.records()).find(({ id }) => id === answer.headers.get('x-request-id'))
    expect(record?.outcome).toBe('client_gone')
  })
})

test('a guard that is stopped right after its answers leaves every record whole', async () => {
  const guard = await startTestGuard()
  const answers = await Promise.all(Array.from({ length: 40 }, () => send(guard, { body: chat('Hello') })))
  await Promise.all(answers.map((answer) => answer.text()))
  await guard.running.server.close(0)
  await guard.running.close()
  expect(await verifyAudit(guard.auditFile)).toMatchObject({ ok: true, exchanges: 40, unfinished: 0 })
  await guard.model.close()
  rmSync(guard.folder, { recursive: true })
})

describe('when a part of the guard cannot do its work', () => {
  test.each([
    ['the audit log cannot be written', { audit: { file: '/dev/full' } }],
    ['the policy engine does not answer', { policy: { engine: 'opa', url: 'http://127.0.0.1:1' } }],
    [
      'shared limits are strict and the store is away',
      { limits: { store: 'redis', redis: { url: 'redis://127.0.0.1:1', strict: true } } },
    ],
  ])('%s: nothing is served and the model is not called', async (_, config) => {
    const guard = await startTestGuard({ config })
    const answer = await send(guard, { body: chat('Hello') })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('x-should-retry')).toBe('true')
    expect(guard.model.received).toEqual([])
    await guard.close()
  })
})
