import { expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { lint } from '../lint.ts'

const found = (files: Readonly<Record<string, string>>): readonly string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-lint-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return lint([folder], { exclude: [], maxFiles: 10 }).results.map(({ finding }) => finding.rule)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const tool = (body: string): string =>
  `from langchain.tools import tool\n\n@tool\ndef act(target: str) -> str:\n    """Acts."""\n    ${body}\n`
const listed = (name: string): string =>
  `from google.adk.agents import Agent\ndef work_out(text: str):\n    return eval(text)\n\nAgent(name="a", tools=[${name}])\n`

test.each([
  ['a plain function in a list of tools is a tool', listed('work_out'), ['code-tool']],
  ['so is one that is wrapped there', listed('FunctionTool(work_out)'), ['code-tool']],
  ['a function that is in no list is none', listed('other'), []],
  [
    'what is made of a parameter is as bad',
    tool('line = "ls " + target\n    os.system(line)'),
    ['shell-tool'],
  ],
  ['a value of the program is not', tool('line = "ls"\n    os.system(line)'), []],
  [
    'a scraper without a site is for any',
    'from crewai_tools import x\nScrapeWebsiteTool()',
    ['any-url-tool'],
  ],
  ['one with a site is not', 'from crewai_tools import x\nScrapeWebsiteTool(website_url=SITE)', []],
  ['a path below a fixed host is not any address', tool('requests.get(f"https://a.example/{target}")'), []],
  ['nor is one below an address of the program', tool('requests.get(f"{ORDERS}/{target}")'), []],
  ['a host that the model names is', tool('requests.get(f"https://{target}/orders")'), ['any-url-tool']],
  [
    'a host whose end the model names is',
    tool('requests.get(f"https://a.example{target}")'),
    ['any-url-tool'],
  ],
])('%s', (_title, text, rules) => {
  expect(found({ 'a.py': text })).toEqual(rules)
})

test('a name that is given another template later stands for the earlier one before', () => {
  const template = (name: string, holes: string, variables: string): string =>
    `t = "Say what follows: <data>${holes}</data>"\n${name} = PromptTemplate(input_variables=[${variables}], template=t)\n`
  const text = `from langchain_core.prompts import PromptTemplate\n${template('ONE', '{a}', '"a"')}${template('TWO', '{a} {b}', '"a", "b"')}`
  expect(found({ 'a.py': text })).toEqual([])
})

test('samples in tests are no findings, what runs or leaks there is', () => {
  const weak = `${tool('os.system(target)')}import pickle\npickle.load(f)\n`
  expect(found({ 'test_agent.py': weak })).toEqual(['unsafe-deserialization'])
  expect(found({ 'agent.py': weak })).toEqual(['shell-tool', 'unsafe-deserialization'])
})
