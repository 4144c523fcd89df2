import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ServerEvent } from '../core/dialect.ts'
import { eventReader } from './sse.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const readAll = (chunks: readonly Uint8Array[]): ServerEvent[] => {
  const reader = eventReader(1000)
  const events = chunks.flatMap((chunk) => [...reader.read(chunk)])
  reader.end()
  return events
}

test('an event is its data lines joined, with its name, and comments are dropped', () => {
  expect(readAll([bytes(': hi\nevent: a\ndata: 1\ndata:2\nid: 7\n\ndata\n\nevent: only\n\n')])).toEqual([
    { event: 'a', data: '1\n2' },
    { event: '', data: '' },
  ])
})

test('where the bytes are cut, and how lines end, changes nothing', () => {
  const pieces = fc.array(fc.constantFrom('data: é😀', 'event: x', ': c', '', 'data:', 'retry: 5'), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(pieces, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(200)), (lines, end, cuts) => {
      const all = bytes([...lines, '', ''].join(end))
      const sorted = [...new Set(cuts.map((cut) => cut % (all.length + 1)))].sort((a, b) => a - b)
      const chunks = [0, ...sorted].map((from, i) => all.subarray(from, sorted[i] ?? all.length))
      expect(readAll(chunks)).toEqual(readAll([bytes([...lines, '', ''].join('\n'))]))
    }),
  )
})

test.each([
  [
    'an event that never ends',
    [bytes('data: ' + 'x'.repeat(600)), bytes('x'.repeat(600))],
    /larger than 1000/,
  ],
  ['an event of many lines', [bytes('data: x\n'.repeat(200))], /larger than 1000/],
  ['invalid UTF-8', [new Uint8Array([0x64, 0xff])], /UTF-8/],
  ['half a character at the end', [new Uint8Array([0xc3])], /UTF-8/],
  ['a byte order mark', [bytes('\uFEFFdata: x\n\n')], /byte order mark/],
  ['half an event at the end', [bytes('data: x\n')], /middle of an event/],
])('%s is refused', (_, chunks, message) => {
  expect(() => readAll(chunks)).toThrow(expect.objectContaining({ code: 'model_answer_invalid' }))
  try {
    readAll(chunks)
  } catch (error) {
    expect((error as { details: string[] }).details.join()).toMatch(message)
  }
})
