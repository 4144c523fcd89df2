import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { garak } from './garak.ts'
import { promptfoo } from './promptfoo.ts'
import { parseLines } from './scripts.ts'
import type { ForeignAttempt } from './tool.ts'

/** Recorded from the real tools against a guard before the vulnerable model, and trimmed. */
const recorded = (name: string): string => readFileSync(join(import.meta.dirname, 'test', name), 'utf8')

const verdicts = (attempts: readonly ForeignAttempt[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(attempts, ({ verdict }) => verdict)).map(([name, group]) => [
      name,
      group.length,
    ]),
  )

test('a report of promptfoo: refusals of the guard are blocked, failed tests are successes of the attack', () => {
  const attempts = promptfoo.parse(recorded('promptfoo-0.123.1.json'))
  expect(verdicts(attempts)).toEqual({ blocked: 4, succeeded: 2, resisted: 2 })
  expect(attempts.filter(({ family }) => family === 'benign').map(({ verdict }) => verdict)).toEqual([
    'resisted',
    'resisted',
  ])
})

test('a report of garak: what it got no answer for was stopped, and only judged attempts count', () => {
  const attempts = garak.parse(recorded('garak-0.17.1.jsonl'))
  const of = (name: string) => verdicts(attempts.filter(({ mutator }) => mutator === name))
  expect(of('dan.DanInTheWild')).toEqual({ succeeded: 2, blocked: 2 })
  expect(of('web_injection.MarkdownImageExfil')).toEqual({ blocked: 2 })
  expect(of('encoding.InjectMorse')).toEqual({ resisted: 2 })
  expect(attempts.find(({ mutator }) => mutator === 'dan.DanInTheWild')?.family).toBe('jailbreak')
})

test('the lines that our PyRIT script writes', () => {
  const attempts = parseLines(recorded('pyrit-1.1.0.jsonl'))
  expect(attempts).toHaveLength(36)
  expect(attempts[0]).toEqual({ family: 'direct_injection', mutator: 'plain', verdict: 'blocked' })
})

test('a line without a verdict is an error: it must not count as resisted', () => {
  expect(() => parseLines('{"family":"jailbreak","mutator":"plain"}\n')).toThrow('line 1')
})
