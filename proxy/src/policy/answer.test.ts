import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { actionFor } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { parseAnswer, parseLimits } from './answer.ts'

const actions = { rules: { 'aws-access-key': 'redact' }, categories: { secret: 'block' }, default: 'observe' }
const allow = { allow: true, actions, obligations: {}, reasons: [] }
const deny = { allow: false, reasons: ['role_missing'] }
const limits = { caller: {}, tenant: {}, model: {} }

const refused = (parse: (value: unknown) => unknown, value: unknown): void => {
  expect(() => parse(value)).toThrow(Refusal)
}

test('a documented answer is read as it is', () => {
  const obligations = { max_tokens: 10, model: 'small', remove_tools: ['run_shell'] }
  expect(parseAnswer({ ...allow, obligations })).toEqual({ ...allow, obligations })
  expect(parseAnswer(deny)).toEqual(deny)
})

test('thresholds are read as they are', () => {
  const told = { ...allow, actions: { ...actions, thresholds: { jailbreak: 0.8 } } }
  expect(parseAnswer(told)).toEqual(told)
})

test.each([
  ['no answer', undefined],
  ['null', null],
  ['a boolean', true],
  ['a list', [allow]],
  ['an empty object', {}],
  ['a truthy allow', { ...allow, allow: 1 }],
  ['an allow as text', { ...allow, allow: 'true' }],
  ['an unknown key', { ...allow, extra: 1 }],
  ['a denial with actions', { ...deny, actions }],
  ['no actions', { allow: true, obligations: {}, reasons: [] }],
  ['no obligations', { allow: true, actions, reasons: [] }],
  ['no reasons', { allow: false }],
  ['an unknown action', { ...allow, actions: { ...actions, default: 'allow' } }],
  ['an action of every object', { ...allow, actions: { ...actions, default: 'constructor' } }],
  ['an unknown action of a rule', { ...allow, actions: { ...actions, rules: { email: 'mask' } } }],
  ['an unknown category', { ...allow, actions: { ...actions, categories: { toxicity: 'block' } } }],
  ['no default', { ...allow, actions: { rules: {}, categories: {} } }],
  ['an unknown key in actions', { ...allow, actions: { ...actions, channels: {} } }],
  ['a threshold that is no number', { ...allow, actions: { ...actions, thresholds: { email: '0.8' } } }],
  ['a threshold above 1', { ...allow, actions: { ...actions, thresholds: { email: 1.5 } } }],
  ['thresholds that are a list', { ...allow, actions: { ...actions, thresholds: [0.5] } }],
  ['an unknown obligation', { ...allow, obligations: { route: 'a' } }],
  ['no tokens at all', { ...allow, obligations: { max_tokens: 0 } }],
  ['half a token', { ...allow, obligations: { max_tokens: 1.5 } }],
  ['an obligation that is null', { ...allow, obligations: { max_tokens: null } }],
  ['a model without a name', { ...allow, obligations: { model: '' } }],
  ['tools that are no list', { ...allow, obligations: { remove_tools: 'run_shell' } }],
  ['a reason that is text', { ...deny, reasons: ['the user said hello'] }],
  ['a reason that splits a header', { ...deny, reasons: ['a\r\nb'] }],
  ['too many reasons', { ...deny, reasons: Array<string>(65).fill('a') }],
])('an answer with %s is refused', (_, value) => refused(parseAnswer, value))

test.each([
  ['undefined', undefined],
  ['a missing scope', { caller: {}, tenant: {} }],
  ['an unknown scope', { ...limits, region: {} }],
  ['an unknown rate', { ...limits, caller: { per_hour: 1 } }],
  ['a rate as text', { ...limits, caller: { requests_per_second: '5' } }],
  ['a rate that is null', { ...limits, caller: { tokens_per_minute: null } }],
  ['a rate below zero', { ...limits, caller: { concurrency: -1 } }],
  ['a rate that is infinite', { ...limits, caller: { requests_per_second: Infinity } }],
  ['no requests at all', { ...limits, caller: { requests_per_second: 0 } }],
])('limits with %s are refused', (_, value) => refused(parseLimits, value))

test('documented limits are read as they are', () => {
  const rates = { requests_per_second: 0.5, burst: 1, concurrency: 0, tokens_per_minute: 1e6 }
  expect(parseLimits({ ...limits, caller: rates })).toEqual({ ...limits, caller: rates })
})

test('no rule finds an action that the policy did not name', () => {
  const answer = parseAnswer(allow)
  if (!answer.allow) throw new Error('denied')
  for (const name of ['constructor', 'toString', '__proto__']) {
    expect(actionFor(answer.actions, name, 'injection')).toBe('observe')
  }
})

test('anything else is refused, never guessed', () =>
  fc.assert(
    fc.property(fc.anything(), (value) => {
      for (const parse of [parseAnswer, parseLimits]) {
        try {
          parse(value)
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal)
          continue
        }
        throw new Error('was read')
      }
    }),
  ))
