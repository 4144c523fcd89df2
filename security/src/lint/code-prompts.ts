import { pathAt } from './bindings.ts'
import type { Call } from './calls.ts'
import type { Flow } from './flow.ts'
import { guessSyntax, withHoles, type Syntax } from './holes.ts'
import { argumentsOf, literalAt, type Argument, type Program, type Range } from './program.ts'
import type { Prompt, PromptRole } from './prompt.ts'
import { argumentFor } from './origins.ts'
import { rootOf } from './returned.ts'
import type { Scope } from './scopes.ts'
import { expressionEnd } from './statement.ts'
import type { Piece } from './tokens.ts'
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

/** Calls that send one text to a model. */
const SENDS =
  /^(?:invoke|ainvoke|stream|astream|predict|apredict|complete|acomplete|stream_complete|generate_content|generateContent|generate_content_async|send_message|sendMessage|generate|agenerate|create_completion|llm|call_llm|ask_llm|query_llm|chat_completion|run|run_sync|run_streamed|kickoff|completion)$/
const SENDERS =
  /(?:llm|model|chain|agent|runner|crew|chat|client|gemini|gpt|claude|openai|ollama|genai|bot|lm|engine|predictor|team)\w{0,20}\.\w+$/i
/** Names that only agents have, or that much else has too: then the text has to be long. */
const ASKS =
  /^(?:run|arun|print_response|aprint_response|get_response|get_response_sync|initiate_chat|kickoff|ask)$/
const NOT_ASKED = /^(?:subprocess|os|shell|asyncio|conn|cursor|db|session|uvicorn|docker|console|click)\b/
const LONG = 40

/** A parameter that ends in a message, of a function that other files may call. */
interface Sink {
  readonly scope: Scope
  readonly parameter: string
  readonly role: PromptRole
}

interface Read {
  readonly prompts: readonly Prompt[]
  readonly sinks: readonly Sink[]
}

const NOTHING: Read = { prompts: [], sinks: [] }
const read = new WeakMap<Flow, Read>()

/** The prompts that code builds: messages, templates, named texts. Each place once. */
export const codePrompts = (flow: Flow): readonly Prompt[] => readOnce(flow).prompts

/** Files that import each other see nothing of the one that is being read. */
const readOnce = (flow: Flow): Read => {
  const known = read.get(flow)
  if (known !== undefined) return known
  read.set(flow, NOTHING)
  const made = readPrompts(flow)
  read.set(flow, made)
  return made
}

const readPrompts = (flow: Flow): Read => {
  const { program } = flow
  const found = new Map<string, Prompt>()
  const sinks: Sink[] = []
  const taken = new Set<number>()
  const isTemplating = /PromptTemplate|from_messages|fromMessages/.test(program.source.text)
  const keep = (prompt: Prompt): void => {
    const places = prompt.pieces.slice(0, 40).map(({ start, path = '' }) => `${path}${start}`)
    const key = `${prompt.role === 'system' ? 'system ' : ''}${places.join(' ')}`
    if (prompt.pieces.length > 0 && !found.has(key)) found.set(key, prompt)
  }
  const add: Add = (role, range, template) => {
    for (const one of sourcesOf(flow, range, { depth: 0, met: (sink) => sinks.push({ ...sink, role }) })) {
      taken.add(one.from)
      const pieces = flow.evaluate(one)
      const isNamed = program.tokens[one.from]?.kind === 'name' || one.from !== range.from
      const isPlain = isNamed && pieces?.every(({ kind }) => kind === 'text') === true
      if (pieces !== undefined) keep(asPrompt(role, pieces, template ?? (isPlain ? {} : undefined)))
    }
  }
  for (const call of flow.calls) {
    fromCall(program, call, add)
    fromSending(flow, call, add)
    fromOther(flow, call, { add, keep })
  }
  fromBrackets(program, (role, range) => {
    add(role, range, isTemplating ? {} : undefined)
  })
  fromAssignments(flow, taken, (role, range, template) => {
    keep(asPrompt(role, flow.evaluate(range) ?? [], template))
  })
  return { prompts: [...found.values()], sinks }
}

/** A call of a function in another file: what it sends to a model there, with what it is given here. */
const fromOther = (
  flow: Flow,
  call: Call,
  to: { readonly add: Add; readonly keep: (prompt: Prompt) => void },
): void => {
  const other = flow.imported(call.path)
  if (other === undefined) return
  const name = other.path.slice(other.path.lastIndexOf('.') + 1)
  const { prompts, sinks } = readOnce(other.flow)
  const given = (scope: Scope, parameterName: string): Range | undefined => {
    const index = scope.parameters.findIndex(({ names }) => names.includes(parameterName))
    const parameter = scope.parameters[index]
    return parameter && argumentFor(flow.program, call.args, { parameter, index, name: parameterName })
  }
  for (const { scope, parameter, role } of sinks) {
    const argument = scope.name === name ? given(scope, parameter) : undefined
    if (argument !== undefined) to.add(role, argument)
  }
  const scope = other.flow.scopes.all.find((one) => one.name === name)
  if (scope === undefined) return
  const { path } = other.flow.program.source
  for (const prompt of prompts) {
    if (!prompt.pieces.some((piece) => piece.kind === 'hole' && piece.inside === name)) continue
    const pieces = prompt.pieces.map((piece): Piece => {
      const argument =
        piece.kind === 'hole' && piece.inside === name ? given(scope, rootOf(piece.expression)) : undefined
      const hole = argument === undefined ? undefined : flow.holeOf(argument)
      const here = { ...piece, path: piece.path ?? path }
      return hole?.known === true && here.kind === 'hole'
        ? { ...here, trust: hole.trust ?? 'own', known: true }
        : here
    })
    if (
      pieces.some(
        (piece, at) =>
          piece.kind === 'hole' &&
          piece.known === true &&
          prompt.pieces[at]?.kind === 'hole' &&
          piece.inside === name,
      )
    )
      to.keep({ ...prompt, pieces })
  }
}

const MOST_SOURCES = 20

interface Search {
  readonly depth: number
  /** Told of each parameter that the text may come from. */
  readonly met: (sink: Omit<Sink, 'role'>) => void
}

/** Where the text of an expression may come from: each value of its name, or what the callers of the function hand over. */
const sourcesOf = (flow: Flow, range: Range, { depth, met }: Search): readonly Range[] => {
  const { program } = flow
  const { path, after } = pathAt(program, range.from)
  if (path === '' || after < range.to || depth > 3) return [range]
  const meaning = flow.meaning(path, range.from)
  if (meaning?.kind === 'values') {
    const sets = meaning.values.filter(({ how }) => how === 'set')
    if (sets.length < 2) return [range]
    const others = sets.slice(0, -1).map(({ value }) => value)
    return [range, ...others.slice(-MOST_SOURCES)]
  }
  if (meaning === undefined || meaning.scope.name === '' || path !== meaning.name) return [range]
  const { scope, name } = meaning
  met({ scope, parameter: name })
  const index = scope.parameters.findIndex(({ names }) => names.includes(name))
  const parameter = scope.parameters[index]
  if (parameter === undefined) return [range]
  return flow
    .callsOf(scope.name)
    .slice(0, MOST_SOURCES)
    .flatMap(({ args }) => argumentFor(program, args, { parameter, index, name }) ?? [])
    .flatMap((given) => sourcesOf(flow, given, { depth: depth + 1, met }))
    .slice(0, MOST_SOURCES)
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
  const said = named('role')
  const content = said === undefined ? undefined : named('content', 'text')
  const role = said === undefined ? undefined : roleAt(program, said)
  if (role !== undefined && content !== undefined && call.args.includes(content)) add(role, content)
  // CrewAI: what a task says is sent as it is.
  const task = call.name === 'Task' ? named('description') : undefined
  if (task !== undefined) add('template', task)
  for (const argument of options) {
    if (argument.name !== undefined && SYSTEM_KEYS.includes(argument.name) && isLong(program, argument))
      add('system', argument)
    else if (argument.name === 'prompt' && !/print|input|ask|question/i.test(call.name))
      add('template', argument)
  }
}

/** `llm.invoke(text)`: a text with words of its own that is given without a name. */
const fromSending = ({ program, evaluate }: Flow, call: Call, add: Add): void => {
  const isSender = SENDS.test(call.name) && (SENDERS.test(call.path) || call.path === call.name)
  const isAsked = ASKS.test(call.name) && call.path !== call.name && !NOT_ASKED.test(call.path)
  if (!isSender && !isAsked) return
  for (const argument of call.args.slice(0, 2)) {
    if (
      argument.name !== undefined &&
      !['input', 'contents', 'user_prompt', 'task', 'message'].includes(argument.name)
    )
      continue
    if ('[{'.includes(program.tokens[argument.from]?.text ?? '[')) continue
    const length =
      evaluate(argument)?.reduce((sum, piece) => sum + (piece.kind === 'text' ? piece.text.length : 0), 0) ??
      0
    if (length >= (isSender ? 20 : LONG)) add('template', argument)
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

/** `"system"`, `MessageRole.SYSTEM` and `Role.system`. */
const roleAt = (program: Program, { from, to }: Range): PromptRole | undefined => {
  const last = program.tokens[to - 1]
  if (to - from === 1) return ROLES[literalAt(program, from) ?? '']
  const isMember = last?.kind === 'name' && program.tokens[to - 2]?.text === '.' && to - from <= 5
  return isMember ? ROLES[last.text.toLowerCase()] : undefined
}

/** Not the arguments of a call nor an index: those follow a name. */
const isPairStart = ({ tokens }: Program, at: number): boolean => {
  const before = tokens[at - 1]
  return before?.kind === 'operator' && '([,='.includes(before.text)
}

const fromObject = (program: Program, entries: readonly Argument[], add: Add): void => {
  const role = entries.find(({ name }) => name === 'role')
  const content = entries.find(({ name }) => name === 'content' || name === 'text')
  if (role === undefined || content === undefined) return
  const known = roleAt(program, role)
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

/** `SYSTEM_PROMPT = "…"`: what the name says, where no use of it says more. */
const fromAssignments = ({ program, used }: Flow, taken: ReadonlySet<number>, add: Add): void => {
  const { tokens } = program
  const named = tokens.flatMap((token, at) => {
    if (token.kind !== 'operator' || token.text !== '=' || tokens[at + 1]?.text === '=') return []
    const name = assignedName(program, at)
    const role = name === undefined ? undefined : roleOfName(name)
    if (role === undefined) return []
    const from = tokens[at + 1]?.text === '>' ? at + 2 : at + 1
    return [{ role, range: { from, to: expressionEnd(program, from) } }]
  })
  // From the end: what is built later uses what stands before it.
  for (const { role, range } of named.reverse()) {
    if (used.has(range.from) || taken.has(range.from)) continue
    const value = tokens.slice(range.from, Math.min(range.to, range.from + 50))
    const isFormatted = value.some(({ pieces }) => pieces?.some(({ kind }) => kind === 'hole') ?? false)
    add(role, range, isFormatted ? undefined : {})
  }
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
