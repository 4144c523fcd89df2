import { callsIn, type Call } from './calls.ts'
import { guessSyntax, withHoles, type Syntax } from './holes.ts'
import { argumentsOf, literalAt, type Argument, type Program, type Range } from './program.ts'
import type { Prompt, PromptRole } from './prompt.ts'
import { piecesOf } from './string-expression.ts'
import { wordsOf } from './trust.ts'

const ROLES: Readonly<Record<string, PromptRole>> = {
  system: 'system',
  developer: 'system',
  human: 'user',
  user: 'user',
  ai: 'assistant',
  assistant: 'assistant',
  model: 'assistant',
  tool: 'tool',
}
const MESSAGE_CLASSES: Readonly<Record<string, PromptRole>> = {
  SystemMessage: 'system',
  SystemMessagePromptTemplate: 'system',
  HumanMessage: 'user',
  HumanMessagePromptTemplate: 'user',
  UserMessage: 'user',
  AIMessage: 'assistant',
  AIMessagePromptTemplate: 'assistant',
  AssistantMessage: 'assistant',
}
const TEMPLATE_CLASSES = [
  'PromptTemplate',
  'ChatPromptTemplate',
  'RichPromptTemplate',
  'FewShotPromptTemplate',
  'PromptBuilder',
  'Prompt',
]
const SYSTEM_KEYS =
  `system system_prompt systemPrompt system_message systemMessage instructions system_instruction
  systemInstruction backstory system_template instruction`.split(/\s+/)

/** The prompts that code builds: messages, templates, named texts. Each place once. */
export const codePrompts = (program: Program): readonly Prompt[] => {
  const found = new Map<number, Prompt>()
  const referenced = new Map<string, PromptRole>()
  const isTemplating = /PromptTemplate|from_messages|fromMessages/.test(program.source.text)
  const add = (role: PromptRole, range: Range, template?: Template): void => {
    const only = range.to - range.from === 1 ? program.tokens[range.from] : undefined
    if (only?.kind === 'name') referenced.set(only.text, role)
    const pieces = piecesOf(program, range)
    if (pieces === undefined || pieces.length === 0) return
    const prompt = asPrompt(role, pieces, template)
    const key = prompt.pieces[0]?.start ?? 0
    if (!found.has(key)) found.set(key, prompt)
  }
  for (const call of callsIn(program)) fromCall(program, call, add)
  fromBrackets(program, (role, range) => {
    add(role, range, isTemplating ? {} : undefined)
  })
  fromAssignments(program, referenced, add)
  return [...found.values()]
}

interface Template {
  readonly syntax?: Syntax
  readonly declared?: readonly string[]
}

type Add = (role: PromptRole, range: Range, template?: Template) => void

const asPrompt = (role: PromptRole, pieces: Prompt['pieces'], template: Template | undefined): Prompt => {
  if (template === undefined) return { role, pieces }
  const text = pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('')
  const split = withHoles(pieces, template.syntax ?? guessSyntax(text))
  return { role, pieces: split, ...(template.declared === undefined ? {} : { declared: template.declared }) }
}

const fromCall = (program: Program, call: Call, add: Add): void => {
  const owner = call.path
    .split('.')
    .find((part) => part in MESSAGE_CLASSES || TEMPLATE_CLASSES.includes(part))
  const options = optionsOf(program, call)
  const named = (...names: readonly string[]): Argument | undefined =>
    options.find(({ name }) => name !== undefined && names.includes(name))
  if (
    owner !== undefined &&
    /^(from_template|fromTemplate|PromptTemplate|RichPromptTemplate|Prompt|PromptBuilder)$|Message(PromptTemplate)?$/.test(
      call.name,
    )
  ) {
    const role = MESSAGE_CLASSES[owner] ?? 'template'
    const text =
      named('template', 'content', 'prompt', 'template_str') ??
      call.args.find(({ name }) => name === undefined)
    const isPlain = owner in MESSAGE_CLASSES && !owner.endsWith('Template')
    if (text !== undefined) add(role, text, isPlain ? undefined : templateOf(program, named))
    return
  }
  for (const argument of options) {
    if (argument.name !== undefined && SYSTEM_KEYS.includes(argument.name) && isLong(program, argument))
      add('system', argument)
    else if (argument.name === 'prompt' && !/print|input|ask|question/i.test(call.name)) add('user', argument)
  }
}

/** Short texts and names are settings, such as `system="linux"`. */
const isLong = ({ tokens }: Program, { from, to }: Range): boolean =>
  to - from > 1 || tokens[from]?.kind === 'name' || (tokens[from]?.text.length ?? 0) >= 20

/** The named arguments, or the entries of an object that is the only argument. */
const optionsOf = (program: Program, call: Call): readonly Argument[] => {
  const objects = call.args.filter(
    ({ name, from }) => name === undefined && program.tokens[from]?.text === '{',
  )
  return [...call.args, ...objects.flatMap(({ from }) => argumentsOf(program, from))]
}

const templateOf = (
  program: Program,
  named: (...names: readonly string[]) => Argument | undefined,
): Template => {
  const format = named('template_format', 'templateFormat')
  const value = format === undefined ? undefined : literalAt(program, format.from)
  const inputs = named('input_variables', 'inputVariables')
  const syntax: Syntax | undefined =
    value === undefined ? undefined : value === 'f-string' ? 'brace' : 'jinja'
  const declared = inputs === undefined ? undefined : listOf(program, inputs)
  if (declared === undefined) return syntax === undefined ? {} : { syntax }
  const partials = named('partial_variables', 'partialVariables')
  if (partials !== undefined && program.tokens[partials.from]?.text !== '{')
    return syntax === undefined ? {} : { syntax }
  const partialNames =
    partials === undefined ? [] : argumentsOf(program, partials.from).flatMap(({ name }) => name ?? [])
  return { ...(syntax === undefined ? {} : { syntax }), declared: [...declared, ...partialNames] }
}

const listOf = (program: Program, { from }: Range): readonly string[] | undefined => {
  if (program.tokens[from]?.text !== '[') return undefined
  const items = argumentsOf(program, from).map(({ from: at, to }) =>
    to - at === 1 ? literalAt(program, at) : undefined,
  )
  return items.some((item) => item === undefined) ? undefined : items.filter((item) => item !== undefined)
}

/** `{"role": "system", "content": …}` and `("system", …)`, in any list. */
const fromBrackets = (program: Program, add: Add): void => {
  program.tokens.forEach(({ kind, text }, at) => {
    if (kind !== 'operator' || !'([{'.includes(text)) return
    if (program.tokens[at + 1]?.kind !== 'string' && text !== '{') return
    const entries = argumentsOf(program, at)
    if (text === '{') fromObject(program, entries, add)
    else if (entries.length === 2 && isPairStart(program, at)) {
      const [first, second] = entries
      const role =
        first === undefined || first.to - first.from > 1
          ? undefined
          : ROLES[literalAt(program, first.from) ?? '']
      if (role !== undefined && second?.name === undefined && second !== undefined) add(role, second)
    }
  })
}

/** Not the arguments of a call nor an index: those follow a name. */
const isPairStart = ({ tokens }: Program, at: number): boolean => {
  const before = tokens[at - 1]
  return before?.kind === 'operator' && '([,='.includes(before.text)
}

const fromObject = (program: Program, entries: readonly Argument[], add: Add): void => {
  const role = entries.find(({ name }) => name === 'role')
  const content = entries.find(({ name }) => name === 'content' || name === 'text')
  if (role === undefined || content === undefined || role.to - role.from !== 1) return
  const known = ROLES[literalAt(program, role.from) ?? '']
  if (known === undefined) return
  if (program.tokens[content.from]?.text !== '[') {
    add(known, content)
    return
  }
  for (const part of argumentsOf(program, content.from)) {
    if (program.tokens[part.from]?.text !== '{') continue
    const text = argumentsOf(program, part.from).find(({ name }) => name === 'text')
    if (text !== undefined) add(known, text)
  }
}

/** `SYSTEM_PROMPT = "…"`: what the name says, or how the name is used elsewhere in the file. */
const fromAssignments = (program: Program, referenced: ReadonlyMap<string, PromptRole>, add: Add): void => {
  const { tokens } = program
  tokens.forEach((token, at) => {
    if (token.kind !== 'operator' || token.text !== '=' || tokens[at + 1]?.text === '=') return
    const name = assignedName(program, at)
    if (name === undefined) return
    const role = referenced.get(name) ?? roleOfName(name)
    if (role === undefined) return
    const range = { from: at + 1, to: expressionEnd(program, at + 1) }
    const value = tokens.slice(range.from, Math.min(range.to, range.from + 50))
    const isFormatted = value.some(({ pieces }) => pieces?.some(({ kind }) => kind === 'hole') ?? false)
    add(role, range, isFormatted ? undefined : {})
  })
}

/** Also behind a type: `NAME: str =`. */
const assignedName = ({ tokens }: Program, at: number): string | undefined => {
  const before = tokens[at - 1]
  if (before?.kind !== 'name') return undefined
  return tokens[at - 2]?.text === ':' && tokens[at - 3]?.kind === 'name' ? tokens[at - 3]?.text : before.text
}

const roleOfName = (name: string): PromptRole | undefined => {
  const words = wordsOf(name)
  const last = words.at(-1) ?? ''
  const isPrompt =
    ['prompt', 'template', 'tmpl', 'tpl', 'instructions'].includes(last) || words.includes('prompt')
  if (!isPrompt || /^(html|url|path|file|sql|id|name|key|format)$/.test(last) || words.includes('html'))
    return undefined
  if (last === 'template' && !words.includes('prompt') && !words.includes('system')) return undefined
  return words.includes('system') || last === 'instructions' ? 'system' : 'template'
}

/** A literal, or a bracket with literals, and what is joined to it: up to where the next statement begins. */
const expressionEnd = ({ tokens, closes }: Program, from: number): number => {
  let at = from
  while (at < tokens.length) {
    const token = tokens[at]
    if (token?.kind === 'operator' && '([{'.includes(token.text)) {
      if (token.text !== '(') return at
      at = (closes.get(at) ?? at) + 1
    } else if (token?.kind === 'string') at++
    else if (token?.kind === 'operator' && token.text === '+') at += 2
    else if (token?.kind === 'operator' && token.text === '.') at += 2
    else if (token?.kind === 'name' && at === from && '.('.includes(tokens[at + 1]?.text ?? ' ')) at++
    else return at
  }
  return at
}
