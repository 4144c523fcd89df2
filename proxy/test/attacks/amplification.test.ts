import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTestGuard, type TestGuard } from '../start.ts'

let guard: TestGuard
beforeAll(async () => {
  guard = await startTestGuard({ script: () => ({ pieces: ['fine'] }) })
})
afterAll(() => guard.close())

const ask = (content: string): Promise<Response> =>
  fetch(`${guard.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${guard.keys.admin}` },
    body: JSON.stringify({ model: 'demo-small', max_tokens: 10, messages: [{ role: 'user', content }] }),
  })

test.each([
  ['beginnings of keys', 'sk-'],
  ['digits', '4111 '],
  ['encoded text', Buffer.from('sk-'.repeat(30)).toString('base64')],
])(
  'a long text of %s does not keep other callers waiting for its end',
  async (_, unit) => {
    let first: string | undefined
    // On a machine that stands still at the wrong moment the long one may be done before the short one is sent.
    for (let tries = 0; tries < 5 && first !== 'short'; tries++) first = await race(unit)
    expect(first).toBe('short')
  },
  60_000,
)

/** Which of both is answered first. */
const race = async (unit: string): Promise<string | undefined> => {
  const hostile = ask(unit.repeat(Math.ceil(400_000 / unit.length)))
  const done: string[] = []
  void hostile.then(() => done.push('hostile'))
  await new Promise((resolve) => setTimeout(resolve, 30))
  const answer = await ask(`short ${unit.length}`)
  done.push('short')
  expect(answer.status).toBe(200)
  expect([200, 400, 413]).toContain((await hostile).status)
  return done[0]
}
