import { afterAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { opaPath } from '../../../proxy/src/policy/test/real-opa.ts'
import { command } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-usage-'))
afterAll(() => rmSync(folder, { recursive: true }))

const services = {
  'services/orders/agent.py': `from agents import Agent, function_tool

@function_tool
def refund_order(order: str) -> str:
    """Pays back."""
    return order

agent = Agent(name="Orders", model="gpt-4.1-mini-2025-04-14", tools=[refund_order])
`,
  'services/news/digest.ts': `import { generateText, tool } from 'ai'
import { openai } from '@ai-sdk/openai'
const readFeed = tool({ description: 'Reads news.', execute: async () => [] })
await generateText({ model: openai('gpt-4o-2024-11-20'), tools: { readFeed }, maxOutputTokens: 700, prompt: 'News?' })
`,
}

interface Answer {
  readonly allow: boolean
  readonly reasons: readonly string[]
}

/** What the policies of this repository answer a caller of one role when their data has the roles that were gathered. */
const policies = async (opa: string): Promise<(role: string, model: string, tools: string[]) => Answer> => {
  for (const [path, text] of Object.entries(services)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  let data = ''
  const io = { out: (text: string) => void (data += text), err: () => undefined, terminal: false }
  const args = [join(folder, 'services'), '--format', 'policy', '--base', 'policies/data.json']
  expect(await command.run(args, io)).toBe(0)
  cpSync('policies/postern', join(folder, 'policies/postern'), { recursive: true })
  writeFileSync(join(folder, 'policies/data.json'), data)
  return (role, model, tools) => {
    const request = { route: 'openai.chat', model, stream: false, tools, params: { n: 1 }, extras: [] }
    const caller = { subject: 'ann', tenant: 'acme', roles: [role], scopes: [], via: 'jwt:corp' }
    const out = execFileSync(
      opa,
      ['eval', '-b', join(folder, 'policies'), '-I', '-f', 'raw', 'data.postern.decision'],
      { input: JSON.stringify({ stage: 'request', caller, request, findings: [] }), encoding: 'utf8' },
    )
    return JSON.parse(out) as Answer
  }
}

const opa = opaPath()
const withOpa = opa === undefined ? test.skip : test

withOpa(
  'what code names is allowed to its role and nothing else (skipped where opa is missing)',
  async () => {
    const asked = await policies(opa!)
    expect(asked('orders', 'gpt-4.1-mini-2025-04-14', ['refund_order']).allow).toBe(true)
    expect(asked('orders', 'gpt-4.1-mini-2025-04-14', ['readFeed'])).toMatchObject({
      allow: false,
      reasons: ['tool_not_allowed'],
    })
    expect(asked('orders', 'gpt-4o-2024-11-20', ['refund_order'])).toMatchObject({
      allow: false,
      reasons: ['model_not_allowed'],
    })
    expect(asked('news', 'gpt-4o-2024-11-20', ['readFeed'])).toMatchObject({
      allow: true,
      obligations: { max_tokens: 700 },
    })
    expect(asked('user', 'gpt-4o-2024-11-20', []).allow).toBe(false)
  },
)
