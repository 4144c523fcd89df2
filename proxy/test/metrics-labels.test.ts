import { afterAll, beforeAll, expect, test } from '@jest/globals'
import OpenAI from 'openai'
import { startTestGuard, type TestGuard } from './start.ts'

let guard: TestGuard
beforeAll(async () => {
  guard = await startTestGuard({
    config: {
      models: [
        { name: 'demo-small', targets: [{ upstream: 'demo' }] },
        { name: 'team-*', targets: [{ upstream: 'demo' }] },
      ],
    },
  })
})
afterAll(() => guard.close())

const ask = (model: string) =>
  new OpenAI({ apiKey: guard.keys.user, baseURL: `${guard.url}/v1`, maxRetries: 0 }).chat.completions
    .create({ model, messages: [{ role: 'user', content: 'hello' }] })
    .then(
      () => 200,
      (error: unknown) => (error as { readonly status: number }).status,
    )
const metrics = async () => (await fetch(`${guard.adminUrl}/metrics`)).text()

test('tokens are counted by the configured name: what a caller writes is never a label', async () => {
  expect(await ask('team-my-secret-project')).toBe(200)
  expect(await ask('not-configured-anywhere')).toBe(404)
  const text = await metrics()
  expect(text).toMatch(/postern_tokens_total\{model="team-\*",kind="input"\} [1-9]/)
  expect(text).not.toMatch(/my-secret-project|not-configured-anywhere/)
})
