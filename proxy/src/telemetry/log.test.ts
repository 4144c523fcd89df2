import { expect, test } from '@jest/globals'
import { jsonLog, type JsonLogOptions } from './log.ts'

type Line = Record<string, string> & { readonly cause: { readonly stack?: string } }

const start = (level: JsonLogOptions['level'] = 'info') => {
  const lines: string[] = []
  const log = jsonLog({
    level,
    destination: { write: (line) => void lines.push(line) },
    base: { service: 'postern' },
  })
  return { log, last: () => JSON.parse(lines.at(-1) ?? 'null') as Line, lines }
}

test('an event is one JSON line with level, time and fields', () => {
  const { log, last, lines } = start()
  log.info('ready', { port: 8080, trace: 'abc', nothing: undefined })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/\n$/)
  expect(last()).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    service: 'postern',
    port: 8080,
    trace: 'abc',
    event: 'ready',
  })
})

test('an error says its name, code, message and causes, and nothing of what it carries', () => {
  const { log, last } = start()
  const cause = Object.assign(new Error('connect refused'), {
    code: 'ECONNREFUSED',
    request: { body: 'my secret' },
  })
  log.error('upstream_failed', { cause: new Error('no answer', { cause }) })
  expect(last().cause).toEqual({
    name: 'Error',
    message: 'no answer',
    cause: { name: 'Error', message: 'connect refused', code: 'ECONNREFUSED' },
  })
})

test('a syntax error does not repeat the text it could not read', () => {
  const { log, lines } = start()
  try {
    JSON.parse('sk-my-secret')
  } catch (error) {
    log.error('bad', { cause: error as Error })
  }
  expect(lines[0]).toContain('SyntaxError')
  expect(lines[0]).not.toContain('sk-my')
})

test('fields cannot write over time, level or event, and long ones are cut', () => {
  const { log, last } = start()
  log.warn('odd', { level: 'x', time: 1, event: 'y', long: 'z'.repeat(10_000) })
  expect(last()).toMatchObject({ level: 'warn', event: 'odd', level_: 'x', time_: 1, event_: 'y' })
  expect(last()['long']?.length).toBeLessThan(600)
})

test('stacks only at level debug, nothing below the level', () => {
  const info = start()
  info.log.error('e', { cause: new Error('m') })
  expect(info.last().cause.stack).toBeUndefined()
  const debug = start('debug')
  debug.log.error('e', { cause: new Error('m') })
  expect(debug.last().cause.stack).toContain('log.test')
  const quiet = start('error')
  quiet.log.warn('w')
  expect(quiet.lines).toEqual([])
})
