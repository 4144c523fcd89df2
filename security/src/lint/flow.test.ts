import { expect, test } from '@jest/globals'
import { analyse, settle } from './analyse.ts'
import type { Language } from './source.ts'

const found = (language: Language, text: string): readonly string[] =>
  settle(analyse({ path: 'a', language, text }).findings, []).map(
    ({ rule, start, end }) => `${rule} ${text.slice(start, end)}`,
  )

const SINK = 'client.chat.completions.create(model="m", messages=[{"role": "system", "content": %}])\n'
const sent = (expression: string): string => SINK.replace('%', expression)

test.each([
  ['format', 'T = "You help with {topic}."\n' + sent('T.format(topic=request.json["x"])'), '{topic}'],
  ['numbered format', 'T = "You help with {} and {}."\n' + sent('T.format(1, input("x"))'), '{}'],
  ['percent', 'T = "You help with %s."\n' + sent('T % input("x")'), '%s'],
  ['named percent', 'T = "You help with %(topic)s."\n' + sent('T % {"topic": user_input}'), '%(topic)s'],
  ['replace', 'T = "You help with <<x>>."\n' + sent('T.replace("<<x>>", user_input)'), '<<x>>'],
  ['a string template', 'T = Template("You help with $x.")\n' + sent('T.substitute(x=user_input)'), '$x'],
  ['addition', 'text = "You help with "\ntext += user_input\n' + sent('text'), 'user_input'],
  [
    'joined parts',
    'parts = ["You help with"]\nparts.append(user_input)\n' + sent('"\\n".join(parts)'),
    'user_input',
  ],
  [
    'a dictionary of prompts',
    'P = {"a": "You help with {x}."}\n' + sent('P["a"].format(x=user_input)'),
    '{x}',
  ],
  ['a class', 'class P:\n  S = "You help with {x}."\n\n' + sent('P.S.format(x=user_input)'), '{x}'],
  [
    'an attribute',
    'class A:\n  def __init__(self):\n    self.s = "You help with {x}."\n  def ask(self, user_input):\n    ' +
      sent('self.s.format(x=user_input)'),
    '{x}',
  ],
  ['a function', 'def build(x):\n  return f"You help with {x}."\n\n' + sent('build(user_input)'), '{x}'],
  [
    'a parameter that callers fill',
    'def ask(text):\n  ' + sent('text') + '\nask(f"You help with {user_input}.")\n',
    '{user_input}',
  ],
  [
    'a value from the request',
    'def ask(x):\n  ' +
      sent('f"You help with {x}."') +
      '\n@app.post("/a")\ndef route(body):\n  ask(body.x)\n',
    '{x}',
  ],
  [
    'a template class',
    'T = "You help with {context}."\nS = SystemMessagePromptTemplate.from_template(T)\n',
    '{context}',
  ],
])('Python: text from outside is found in a system prompt through %s', (_name, text, place) => {
  expect(found('python', `import openai\n${text}`)).toEqual([`untrusted-in-system-prompt ${place}`])
})

test.each([
  [
    'a function',
    'const build = (x) => `You help with ${x}.`\ngenerateText({ system: build(req.body.x) })',
    '${x}',
  ],
  [
    'a function with an object',
    'function build({ x }: P): string { return `You help with ${x}.` }\ngenerateText({ system: build({ x: userInput }) })',
    '${x}',
  ],
  [
    'a constant',
    'const T = "You help with {x}."\ngenerateText({ system: T.replace("{x}", userInput) })',
    '{x}',
  ],
  [
    'joined parts',
    'const p = ["You help with"]\np.push(userInput)\ngenerateText({ system: p.join("\\n") })',
    'userInput',
  ],
  ['addition', 'let t = "You help with "\nt += userInput\ngenerateText({ system: t })', 'userInput'],
  [
    'a value taken out of the request',
    'const { x } = await req.json()\ngenerateText({ system: `You help with ${x}.` })',
    '${x}',
  ],
  [
    'an object of prompts',
    'const P = { a: (x: string) => `You help with ${x}.` }\ngenerateText({ system: P.a(userInput) })',
    '${x}',
  ],
])('TypeScript: text from outside is found in a system prompt through %s', (_name, text, place) => {
  expect(found('typescript', `import 'openai'\n${text}`)).toEqual([`untrusted-in-system-prompt ${place}`])
})

test.each([
  ['a constant', 'question = "What is new?"\n' + sent('f"You help. Asked today: {question}"')],
  [
    'an escaped value',
    'question = html.escape(request.json["q"])\n' + sent('f"You help. Asked today: {question}"'),
  ],
  ['a number', 'n = int(request.args["n"])\n' + sent('f"You help. Answer {n} times."')],
  ['a text of another name', 'T = "You help with {x}."\n' + sent('T.format(x=LANGUAGE)')],
])('%s in a system prompt is quiet', (_name, text) => {
  expect(found('python', `import openai\n${text}`)).toEqual([])
})
