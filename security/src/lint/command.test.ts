import { afterAll, expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-lint-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const run = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
  let out = ''
  let err = ''
  const code = await main(['lint', ...args], {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    terminal: false,
  })
  return { code, out, err }
}

const WEAK =
  'from langchain import x\nP = PromptTemplate.from_template("Summarise what follows, then stop at once. {text} Be brief.")\n'

test('a finding says where, what, why and how to fix it, and the exit code is 1', async () => {
  const path = file('text/a.py', WEAK)
  const { code, out } = await run(path)
  expect(code).toBe(1)
  expect(out).toContain(`${path}:2:78 warning no-delimiters`)
  expect(out).toMatch(/why: .*\n {4}fix: .*LLM01:2025, CWE-1427/)
})

test('SARIF carries rules, places, fingerprints and replacements', async () => {
  const path = file('sarif/a.py', WEAK)
  const log = JSON.parse((await run(path, '--format', 'sarif')).out) as {
    runs: [
      {
        tool: { driver: { rules: { id: string }[] } }
        results: { ruleId: string; partialFingerprints: object; fixes: unknown[] }[]
      },
    ]
  }
  const [{ tool, results }] = log.runs
  expect(tool.driver.rules.map(({ id }) => id)).toContain(results[0]?.ruleId)
  expect(results[0]?.partialFingerprints).toEqual({
    'posternSec/v1': expect.stringMatching(/^[0-9a-f]{32}$/),
  })
  expect(results[0]?.fixes).toEqual([expect.objectContaining({ artifactChanges: [expect.anything()] })])
})

test('--fix puts tags around inserted text, and then there is nothing left to find', async () => {
  const path = file('fix/a.py', WEAK)
  expect(await run(path, '--fix')).toMatchObject({ code: 0 })
  expect(readFileSync(path, 'utf8')).toContain('at once. <text>{text}</text> Be brief.')
})

test('--fix leaves a name beside a text alone: tags there would be no program', async () => {
  const text = 'import openai\nllm.invoke("Summarise what the customer wrote and stop. " + comment)\n'
  const path = file('fix/b.py', text)
  expect(await run(path, '--fix')).toMatchObject({ code: 1 })
  expect(readFileSync(path, 'utf8')).toBe(text)
})

test('a baseline keeps known findings known when lines move, and lets new ones through', async () => {
  const path = file('base/a.py', WEAK)
  const baseline = join(folder, 'baseline.json')
  expect(await run(path, '--baseline', baseline, '--update-baseline')).toMatchObject({ code: 0 })
  writeFileSync(path, `# moved\n\n\n${WEAK}`)
  expect(await run(path, '--baseline', baseline)).toMatchObject({ code: 0, out: '' })
  writeFileSync(path, `${WEAK}make(llm, allow_dangerous_code=True)\n`)
  const { code, out } = await run(path, '--baseline', baseline)
  expect([code, out.includes('dangerous-code-allowed'), out.includes('no-delimiters')]).toEqual([
    1,
    true,
    false,
  ])
})

test('notes alone are printed but do not fail, unless asked', async () => {
  const path = file('note/a.py', 'import openai\nx(model="gpt-4o")\n')
  expect(await run(path)).toMatchObject({ code: 0, out: expect.stringContaining('unpinned-model') })
  expect(await run(path, '--fail-on', 'note')).toMatchObject({ code: 1 })
})

test('a secret that is found is not printed', async () => {
  const secret = 'AKIA' + 'Z7QWERTYUIOPASDF'
  const path = file('secret/a.yaml', `system_prompt: Use the key ${secret} for the service.\n`)
  for (const format of ['text', 'json', 'sarif']) {
    const { out } = await run(path, '--format', format)
    expect(out).toContain('secret-in-prompt')
    expect(out).not.toContain(secret)
  }
})

test('notebooks are read by their code cells, with places in the file', async () => {
  const cells = [
    { cell_type: 'markdown', source: ['allow_dangerous_code=True'] },
    {
      cell_type: 'code',
      outputs: [],
      source: ['import langchain\n', 'make(llm, allow_dangerous_code=True)\n'],
    },
  ]
  const path = file('book/a.ipynb', JSON.stringify({ cells }, undefined, 1))
  const { out } = await run(path, '--json')
  const { findings } = JSON.parse(out) as { findings: { rule: string; line: number }[] }
  const line =
    readFileSync(path, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('make(llm')) + 1
  expect(findings.map(({ rule, line: at }) => [rule, at])).toEqual([['dangerous-code-allowed', line]])
})

test('wrong use is exit code 2 with advice', async () => {
  for (const args of [[], ['--format', 'xml', folder], ['--nonsense'], [join(folder, 'absent')]]) {
    const { code, err } = await run(...args)
    expect([code, err]).toEqual([2, expect.stringContaining('--help')])
  }
})

test('files that cannot be understood are named, not passed over in silence', async () => {
  file('odd/a.yaml', 'prompt: [unclosed\n  system: "x')
  writeFileSync(join(folder, 'odd/b.py'), Buffer.from([0xff, 0xfe, 0x00, 0xd8]))
  const { err } = await run(join(folder, 'odd'))
  expect(err).toMatch(/not read: .*a\.yaml: not understood/)
  expect(err).toMatch(/not read: .*b\.py: not UTF-8/)
})

test.each([
  ['brackets', '{'.repeat(30_000)],
  ['quotes', `openai f"${'{"'.repeat(15_000)}`],
  ['triple quotes', `prompt = f"""${'{x '.repeat(10_000)}`],
  ['slashes', `llm =${' =/['.repeat(10_000)}`],
  ['templates', `llm = ${'`${'.repeat(15_000)}`],
  ['tools', `llm ${'tool({run:'.repeat(6_000)}`],
  ['messages', `prompt ${'{role:"system",content:'.repeat(2_000)}`],
  ['decorators', '@tool '.repeat(60_000)],
  ['fills', `T = "${'ab '.repeat(50_000)}"\n${'llm.invoke(T.replace("b", q))\n'.repeat(1_000)}`],
  ['names', 'a = b + a\n'.repeat(30_000)],
  ['arrows', `const a = ${'x=>'.repeat(100_000)}1`],
])('hostile source of many %s costs no more than its length', async (name, text) => {
  for (const suffix of ['py', 'ts']) {
    const { code } = await run(file(`hostile/${name}.${suffix}`, `// openai\n${text}`))
    expect(code).toBeLessThan(2)
  }
})
