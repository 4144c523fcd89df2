import { expect, test } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { readThreats, renderThreats } from './threats.ts'

const root = new URL('../../', import.meta.url)
const { threats, elsewhere } = readThreats()

test.each(threats.map((threat) => [threat.id, threat] as const))(
  '%s: its control and its test exist',
  (_, threat) => {
    expect([threat.control, existsSync(new URL(threat.control, root))]).toEqual([threat.control, true])
    expect(readFileSync(new URL(threat.test.file, root), 'utf8')).toContain(threat.test.title)
  },
)

test('the whole OWASP Top 10 for LLM Applications is answered or said to be answered elsewhere', () => {
  const named = new Set([...threats.map(({ owasp }) => owasp), ...Object.keys(elsewhere)])
  const all = Array.from({ length: 10 }, (_, index) => `LLM${String(index + 1).padStart(2, '0')}:2025`)
  expect(all.filter((name) => !named.has(name))).toEqual([])
})

test('every kind of STRIDE has a threat against the guard', () => {
  const kinds = [
    'spoofing',
    'tampering',
    'repudiation',
    'information disclosure',
    'denial of service',
    'elevation of privilege',
  ]
  expect(kinds.filter((kind) => !threats.some(({ stride }) => stride === kind))).toEqual([])
})

test('the rendered model is up to date', () => {
  expect(readFileSync(new URL('security/threats/README.md', root), 'utf8')).toBe(
    renderThreats({ threats, elsewhere }),
  )
})
