import { expect, test } from '@jest/globals'
import { inForce, MAX_ORDERS, type Order } from '../core/orders.ts'
import { issue, undo, type Ask, type Bounds } from './book.ts'

const HOUR = 3_600_000
const NOON = Date.parse('2026-01-01T12:00:00Z')

const bounds: Bounds = {
  active: { revoke: 900, tighten: 8, quarantine: 1 },
  perMinute: 900,
  longestMs: 2 * HOUR,
  callers: [],
  namespaces: [],
}

const ask = (subject: string, more: Partial<Ask> = {}): Ask => ({
  target: { kind: 'revoke', caller: { subject, tenant: 't', via: 'api-key' } },
  ...{ by: 'falco:x', event: subject, forMs: HOUR, operator: false },
  ...more,
})

const began = (orders: readonly Order[], subject: string, now = NOON): readonly Order[] =>
  issue(orders, ask(subject), { bounds, now }).orders

test('a clock that is set back ends no order: who was revoked stays out', () => {
  const [order] = began([], 'a')
  for (const earlier of [1000, HOUR, 24 * HOUR]) expect(inForce(order!, NOON - earlier)).toBe(true)
  expect(inForce(order!, NOON + HOUR)).toBe(false)
})

test('nor does it count the orders of later as those of this minute', () => {
  const orders = ['a', 'b', 'c'].reduce<readonly Order[]>((so, name) => began(so, name), [])
  const slow = { ...bounds, perMinute: 3 }
  const at = (now: number) => issue(orders, ask('d'), { bounds: slow, now }).told.result
  expect([at(NOON), at(NOON - HOUR), at(NOON + HOUR)]).toEqual(['throttled', 'began', 'began'])
})

test('events that fill the book leave room for operators', () => {
  let orders: readonly Order[] = []
  let last = ''
  for (let n = 0; n < MAX_ORDERS + 10; n++) {
    const one = issue(orders, ask(`s${n}`, { forMs: 1000 }), { bounds, now: NOON + n * 2000 })
    orders = one.orders
    last = one.told.result
  }
  expect([last, orders.length]).toEqual(['full', MAX_ORDERS - 100])
  const now = NOON + MAX_ORDERS * 2000
  expect(issue(orders, ask('by hand', { operator: true }), { bounds, now }).told).toMatchObject({
    ...{ result: 'began', until: now + HOUR },
  })
})

test('an event that came again after its order was undone gives none', () => {
  const orders = began([], 'a')
  const { orders: after, told } = undo(orders, orders[0]!.id, { by: 'operator:x', now: NOON + 1 })
  expect(told).toBe(true)
  expect(issue(after, ask('a'), { bounds, now: NOON + 2 }).told.result).toBe('repeated')
  expect(issue(after, ask('a', { event: 'new' }), { bounds, now: NOON + 2 }).told.result).toBe('began')
})

test('an order about the same is made longer and never shorter, and says until when', () => {
  const orders = began([], 'a')
  const again = (forMs: number) => issue(orders, ask('a', { event: 'e2', forMs }), { bounds, now: NOON }).told
  expect(again(1000)).toMatchObject({ result: 'known', until: NOON + HOUR })
  expect(again(10 * HOUR)).toMatchObject({ result: 'extended', until: NOON + 2 * HOUR })
})
