import { setTimeout as sleep } from 'node:timers/promises'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { chat, codeOf, never, pooled, read, single, upstream, type UpstreamChanges } from './test/models.ts'
import { chunk, chunkedHead, json, rawServer, type Answer } from './test/rawServer.ts'
import { against, closeAll, until } from './test/servers.ts'

afterEach(closeAll)

const hostileServer = async (answer: Answer, changes: UpstreamChanges = {}) => {
  const pool = await against(answer, changes)
  return { ...pool, call: () => pool.models.call(chat(), never) }
}

const says =
  (...pieces: readonly (string | Buffer)[]): Answer =>
  (socket) => {
    for (const piece of pieces) socket.write(piece)
  }

const saysAndEnds =
  (...pieces: readonly string[]): Answer =>
  (socket) =>
    socket.end(pieces.join(''))

/** Writes one piece after the other, until the connection is gone. */
const drips =
  (head: string, piece: string, everyMs: number): Answer =>
  (socket) => {
    socket.write(head)
    const timer = setInterval(() => socket.write(piece), everyMs)
    socket.on('close', () => clearInterval(timer))
  }

const floods =
  (head: string, piece: string): Answer =>
  (socket) => {
    socket.write(head)
    const pieces = piece.repeat(Math.ceil(8192 / piece.length))
    const more = (): void => {
      while (!socket.destroyed && socket.write(pieces));
    }
    socket.on('drain', more)
    more()
  }

const ok = 'HTTP/1.1 200 OK\r\n'
const okJson = `${ok}content-type: application/json\r\n`

const hostile: Record<string, { answer: Answer; code: string; changes?: UpstreamChanges }> = {
  'no answer at all': {
    answer: () => undefined,
    code: 'model_timeout',
    changes: { timeouts: { headersMs: 800 } },
  },
  'headers one byte at a time': {
    answer: drips(ok, 'x', 20),
    code: 'model_timeout',
    changes: { timeouts: { headersMs: 800 } },
  },
  'headers without an end': { answer: floods(ok, 'x-a: b\r\n'), code: 'model_answer_invalid' },
  'one header without an end': { answer: floods(`${ok}x-a: `, 'bbbbbbbb'), code: 'model_answer_invalid' },
  'a status line without an end': {
    answer: floods('HTTP/1.1 200 ', 'OKOKOKOK'),
    code: 'model_timeout',
    changes: { timeouts: { headersMs: 800 } },
  },
  'continue, and again': {
    answer: floods('', 'HTTP/1.1 100 Continue\r\n\r\n'),
    code: 'model_answer_invalid',
  },
  'early hints for ever': {
    answer: floods('', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    code: 'model_answer_invalid',
  },
  'early hints, slowly': {
    answer: drips('', 'HTTP/1.1 103 Early Hints\r\n\r\n', 250),
    code: 'model_timeout',
    changes: { timeouts: { headersMs: 800 } },
  },
  'an upgrade nobody asked for': {
    answer: says('HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
    code: 'model_answer_invalid',
  },
  'length and chunks': {
    answer: says(`${okJson}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
    code: 'model_answer_invalid',
  },
  'two lengths': {
    answer: says(`${okJson}content-length: 2\r\ncontent-length: 3\r\n\r\n{}x`),
    code: 'model_answer_invalid',
  },
  'a negative length': {
    answer: says(`${okJson}content-length: -2\r\n\r\n{}`),
    code: 'model_answer_invalid',
  },
  'a length larger than allowed': {
    answer: says(`${okJson}content-length: 99999999999\r\n\r\n{}`),
    code: 'model_answer_invalid',
  },
  'chunks that are none': {
    answer: says(`${okJson}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`),
    code: 'model_answer_invalid',
  },
  'a chunk that is longer than it says': {
    answer: says(`${okJson}transfer-encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n`),
    code: 'model_answer_invalid',
  },
  'a coding over chunks': {
    answer: says(`${okJson}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
    code: 'model_answer_invalid',
  },
  'another protocol': { answer: says('SSH-2.0-OpenSSH_9.2\r\n'), code: 'model_answer_invalid' },
  'HTTP/2': { answer: says('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), code: 'model_answer_invalid' },
  'a close before the answer': { answer: (socket) => socket.destroy(), code: 'model_unavailable' },
  'a reset before the answer': { answer: (socket) => socket.resetAndDestroy(), code: 'model_unavailable' },
  'a close in the headers': { answer: saysAndEnds(okJson), code: 'model_unavailable' },
  'a close in the body': {
    answer: saysAndEnds(`${okJson}content-length: 20\r\n\r\n{"half":`),
    code: 'model_unavailable',
  },
  'a close in the body, announced': {
    answer: saysAndEnds(`${okJson}connection: close\r\ncontent-length: 20\r\n\r\n{"half":`),
    code: 'model_unavailable',
  },
  'a close between chunks': {
    answer: saysAndEnds(`${okJson}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`),
    code: 'model_unavailable',
  },
  'a close between chunks, announced': {
    answer: saysAndEnds(`${okJson}connection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`),
    code: 'model_unavailable',
  },
  'a reset in the body': {
    answer: (socket) => {
      socket.write(`${okJson}content-length: 20\r\n\r\n{"half":`)
      setTimeout(() => socket.resetAndDestroy(), 30)
    },
    code: 'model_unavailable',
  },
  'a body that stops': {
    answer: says(`${okJson}content-length: 20\r\n\r\n{"half":`),
    code: 'model_timeout',
    changes: { timeouts: { idleMs: 150 } },
  },
  'a body that trickles': {
    answer: drips(`${okJson}transfer-encoding: chunked\r\n\r\n`, chunk('x'), 20),
    code: 'model_timeout',
    changes: { timeouts: { totalMs: 1000 } },
  },
  'a body that never ends': {
    answer: floods(`${okJson}transfer-encoding: chunked\r\n\r\n`, chunk('x'.repeat(10_000))),
    code: 'model_answer_invalid',
  },
  'a body that never ends, without length': {
    answer: floods(`${okJson}\r\n`, 'x'.repeat(10_000)),
    code: 'model_answer_invalid',
  },
  'trailers without an end': {
    answer: floods(`${okJson}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n`, 'x-a: b\r\n'),
    code: 'model_answer_invalid',
  },
  'a chunk extension without an end': {
    answer: floods(`${okJson}transfer-encoding: chunked\r\n\r\n2`, ';a=b'),
    code: 'model_timeout',
    changes: { timeouts: { idleMs: 200 } },
  },
  'a compressed body': {
    answer: says(`${okJson}content-encoding: gzip\r\ncontent-length: 40\r\n\r\n`, gzipSync('x'.repeat(9999))),
    code: 'model_answer_invalid',
  },
  'two codings': {
    answer: says(json('{}', 'content-encoding: identity\r\ncontent-encoding: gzip\r\n')),
    code: 'model_answer_invalid',
  },
  'two content types': {
    answer: says(json('{}', 'content-type: text/html\r\n')),
    code: 'model_answer_invalid',
  },
  'a content type with bytes beyond ASCII': {
    answer: says(`${ok}content-type: text/\xff\r\ncontent-length: 2\r\n\r\n{}`),
    code: 'model_answer_invalid',
  },
  'a header name with a blank': {
    answer: says(`${okJson}content-length : 2\r\n\r\n{}`),
    code: 'model_answer_invalid',
  },
  'a folded header': {
    answer: says(`${okJson}x-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}`),
    code: 'model_answer_invalid',
  },
  ...Object.fromEntries(
    [300, 301, 302, 303, 304, 305, 307, 308, 399].map((status) => [
      `a redirect ${status}`,
      {
        answer: says(
          `HTTP/1.1 ${status} Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n`,
        ),
        code: 'model_answer_invalid',
      },
    ]),
  ),
}

test.each(Object.entries(hostile))('%s ends in a clear error', async (_, { answer, code, changes }) => {
  const { call, server, models, counts } = await hostileServer(answer, changes)
  expect(await codeOf(call())).toBe(code)
  await models.close()
  expect(Object.values(counts)).toEqual([1])
  expect(server.requests).toHaveLength(1)
  for (let tries = 0; server.open() > 0 && tries < 1500; tries += 1) await sleep(10)
  expect(server.open()).toBe(0)
})

test('a response parked on a kept connection is not taken for the answer of the next request', async () => {
  const parked = json('{"smuggled":true}')
  const { call, server } = await hostileServer((socket, _, number) => {
    socket.write(number === 1 ? json('{"answer":1}') + parked : json(`{"answer":${number}}`))
  })
  expect(await codeOf(call())).toBe('answered: {"answer":1}')
  expect(await codeOf(call())).toBe('answered: {"answer":2}')
  expect(server.connections()).toBe(2)
})

test('a response parked a little later is not taken for the answer of the next request', async () => {
  const { call, server } = await hostileServer((socket, _, number) => {
    socket.write(json(`{"answer":${number}}`))
    if (number === 1) setTimeout(() => socket.write(json('{"smuggled":true}')), 20)
  })
  expect(await codeOf(call())).toBe('answered: {"answer":1}')
  await until(() => server.open() === 0)
  expect(await codeOf(call())).toBe('answered: {"answer":2}')
})

test('a response sent before the request is at most the answer to that one', async () => {
  const server = await rawServer(
    (socket, _, number) => socket.write(json(`{"answer":${number}}`)),
    (socket: Socket) => socket.write(json('{"early":true}')),
  )
  const { models } = single(server.url)
  try {
    for (let at = 0; at < 5; at += 1)
      expect(await codeOf(models.call(chat(), never))).toMatch(/^answered: \{"early":true\}$|^model_/)
  } finally {
    await models.close()
    await server.close()
  }
})

test('trailers are dropped', async () => {
  const { call } = await hostileServer(
    says(
      `${okJson}transfer-encoding: chunked\r\ntrailer: x-a\r\n\r\n2\r\n{}\r\n0\r\nx-a: b\r\ncontent-type: x\r\n\r\n`,
    ),
  )
  const reply = await call()
  expect(await read(reply)).toBe('{}')
  expect(reply.headers).toEqual({ 'content-type': 'application/json' })
})

test('an answer in single-byte chunks arrives whole', async () => {
  const text = 'x'.repeat(20_000)
  const { call } = await hostileServer(says(`${chunkedHead}${chunk('x').repeat(text.length)}0\r\n\r\n`))
  expect(await codeOf(call())).toBe(`answered: ${text}`)
})

test('early hints before an answer are skipped', async () => {
  const { call } = await hostileServer(says('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n', json('{}')))
  expect(await codeOf(call())).toBe('answered: {}')
})

test('broken bytes of any kind end each call in an answer or a refusal, and the next call is not harmed', async () => {
  const whole = Buffer.from(
    `${chunkedHead}${chunk('data: 1\n\n')}${chunk('data: 2\n\n')}0\r\nx-a: b\r\n\r\n${json()}`,
  )
  let pieces: readonly Buffer[] = []
  let healthy = false
  const server = await rawServer((socket) => {
    if (healthy) socket.write(json())
    else {
      for (const piece of pieces) socket.write(piece)
      socket.end()
    }
  })
  const { models } = pooled({
    upstreams: [upstream(server.url, { timeouts: { headersMs: 3000, idleMs: 3000 } })],
    breaker: { failures: 1e9, minimumCalls: 1e9 },
  })
  const edit = fc.record({
    at: fc.nat(whole.length),
    remove: fc.nat(12),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc
        .constantFrom('\r\n', '\r\n\r\n', '0\r\n\r\n', 'HTTP/1.1 ', 'content-length: 3\r\n', ':', '\0')
        .map((text) => Buffer.from(text)),
    ),
  })
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.nat(200), async (edits, cut) => {
        const broken = edits.reduce(
          (bytes, { at, remove, insert }) =>
            Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]),
          whole,
        )
        pieces = [broken.subarray(0, cut), broken.subarray(cut)]
        healthy = false
        const stream = chat({ stream: true })
        expect(await codeOf(models.call(stream, never))).toMatch(
          /^(answered: |model_answer_invalid$|model_unavailable$|model_timeout$)/,
        )
        healthy = true
        expect(await codeOf(models.call(chat(), never))).toBe('answered: {"ok":true}')
      }),
      { numRuns: 150 },
    )
  } finally {
    await models.close()
    await server.close()
  }
}, 60_000)

test('a black hole costs the connect deadline', async () => {
  // TEST-NET-1 (RFC 5737) is routed nowhere; where the network answers at once, that is a failure just as well.
  const { models } = single('http://192.0.2.1:9', { timeouts: { connectMs: 200, headersMs: 1000 } })
  const begun = performance.now()
  expect(await codeOf(models.call(chat(), never))).toBe('model_unavailable')
  expect(performance.now() - begun).toBeLessThan(15_000) // of the eighteen that a call may take
  await models.close()
})
