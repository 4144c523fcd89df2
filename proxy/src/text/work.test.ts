import { expect, test } from '@jest/globals'
import { compilePrograms } from './program.ts'
import { LONGEST } from './reach.ts'
import { startRun } from './run.ts'
import { compileScanner } from './scanner.ts'
import { settleAtEnd } from './settle.ts'
import { take } from './take.ts'
import { encodings, tables } from './test-rules.ts'

const programs = compilePrograms(tables)
const scanner = compileScanner({ name: 'test', tables })

/** Characters read and candidates advanced, for each character of the text, as the worst program needs. */
const work = (text: string, size: number): number =>
  Math.max(
    ...programs.map((program) => {
      const run = startRun(program)
      let known = 0
      for (let at = 0; at < text.length; at += size) {
        take([run], text.slice(at, at + size))
        known = Math.max(known, run.text.length)
      }
      expect(known).toBeLessThan(2 * LONGEST + size)
      settleAtEnd(run)
      return run.steps / text.length
    }),
  )

const hostile: Readonly<Record<string, string>> = {
  'a repeated trigger': 'sk-',
  'a nested trigger': 'sk-live-sk-AKIA',
  digits: '1',
  'digits and dashes': '123-45-',
  'the sign of an address': '@',
  'addresses without end': 'a@a.aa',
  'a nested pattern': 'ab',
  'words of phrases': 'ignore ignore all ',
  'a prefix': 'password:',
  'invisible characters': '\u200b',
  'invisible characters in triggers': 'A\u200bK\u200bI\u200bA',
  'heads without an anchor': 'Zyxw123',
  'halves of pairs': '\ud835',
  escapes: '%41%',
  'numbers that begin a text': '33 65 66 67 68 69 70 71 72 1 ',
  bits: '01101001 0110',
  'dots and dashes': '.- -... / ',
  base32: 'IFFUSQKJ',
  base64: 'QUtJQUlPU0ZPRE5ON0VYQU1QTEUg',
}

test.each(Object.entries(hostile))('the work for %s is bounded for each character', (_, part) => {
  for (const size of [1, 7, 1_000_000]) {
    const short = work(part.repeat(8_000 / part.length), size)
    const long = work(part.repeat(32_000 / part.length), size)
    expect(long).toBeLessThan(64)
    expect(long).toBeLessThan(short * 1.2 + 1)
  }
})

test('a long text of any kind is read, whole and in pieces, with the same result', () => {
  for (const [name, part] of Object.entries(hostile)) {
    const text = part.repeat((name === 'digits' ? 1_000_000 : 150_000) / part.length)
    const session = scanner.open(() => true)
    let found = 0
    let most = 0
    for (let at = 0; at < text.length; at += 65_536) {
      found += session.push(text.slice(at, at + 65_536)).length
      most = Math.max(most, Math.min(at + 65_536, text.length) - session.cleared)
    }
    found += session.end().length
    expect(found).toBe(scanner.scan(text).length)
    expect(most).toBeLessThanOrEqual(4 * LONGEST)
  }
})

test('a run longer than the longest finding becomes findings without a gap', () => {
  for (const length of [LONGEST - 4, LONGEST - 3, LONGEST - 2, LONGEST + 1, 3 * LONGEST + 7]) {
    const text = `see sk-${'a'.repeat(length)} there`
    const found = scanner.scan(text).filter(({ rule }) => rule === 'long-key')
    let at = 4
    for (const { start, end } of found) {
      expect(start).toBe(at)
      expect(end - start).toBeLessThanOrEqual(LONGEST)
      at = end
    }
    expect(at).toBe(text.length - 6)
  }
})

test('invisible characters do not stretch what is held, nor hide what they stand in', () => {
  const text = `AKIA${'\u200b'.repeat(3 * LONGEST)}IOSFODNN7EXAMPLE`
  const session = scanner.open((rule) => rule === 'access-key')
  const found = []
  for (let at = 0; at < text.length; at += 100) {
    found.push(...session.push(text.slice(at, at + 100)))
    expect(at + 100 - session.cleared).toBeLessThan(LONGEST + 200)
  }
  found.push(...session.end())
  const places = found.filter(({ rule }) => rule === 'access-key').map(({ start, end }) => [start, end])
  expect(places.at(0)).toEqual([0, LONGEST])
  expect(places.at(-1)?.[1]).toBe(text.length)
})

test('what is held back is what may still become a finding', () => {
  const held = (text: string): string => {
    const session = scanner.open(() => true)
    session.push(text)
    return text.slice(session.cleared)
  }
  expect(held('Please tell me about the weather. ')).toBe('')
  expect(held('my key is AKI')).toBe('AKI')
  expect(held('my key is AKIAIOSFODNN7EXAMPLE')).toBe('AKIAIOSFODNN7EXAMPLE')
  expect(held('my key is AKIAIOSFODNN7EXAMPLE,')).toBe('')
  expect(held('write to joe.doe')).toBe('joe.doe')
  expect(held('write to joe.doe@exam')).toBe('joe.doe@exam')
  expect(held('my password: ')).toBe('')
  expect(held('my password: hunt')).toBe('hunt')
  expect(held('then ignore all ')).toBe('ignore all ')
  expect(held('then ignore all the ')).toBe('')
  expect(held('one hundred%')).toBe('hundred%')
  expect(held('100%')).toBe('100%')
  expect(held('100% ')).toBe('')
  expect(held(`see ${encodings['decoded:percent']!('AKIA')}`)).toBe('%41%4b%49%41')
})

test('text is held for rules that the policy holds only', () => {
  const session = scanner.open((rule) => rule === 'override')
  session.push('joe.doe@example')
  expect(session.cleared).toBe(15)
})

test('rule ids and categories are known before a text is', () => {
  expect(scanner.rules.get('email')).toBe('personal_data')
  expect(scanner.rules.size).toBe(tables.reduce((sum, { rules }) => sum + Object.keys(rules).length, 0))
})
