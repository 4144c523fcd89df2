import type { Call } from './calls.ts'
import type { Span } from './finding.ts'
import { argumentsOf, type Program, type Range } from './program.ts'

/** A function that a model may call, in code. */
export interface ToolFunction extends Span {
  readonly name: string
  readonly parameters: readonly string[]
  readonly body: Range
}

/** Functions under a decorator that says tool or in a list `tools=[…]`, and the `execute` of tool objects in TypeScript. */
export const toolFunctions = (program: Program, calls: readonly Call[]): readonly ToolFunction[] =>
  program.source.language === 'typescript'
    ? executes(program, calls)
    : unique([...decorated(program), ...listed(program, calls)])

const unique = (tools: readonly ToolFunction[]): readonly ToolFunction[] => [
  ...new Map(tools.map((tool) => [tool.start, tool])).values(),
]

const DECORATORS = [
  'tool',
  'function_tool',
  'kernel_function',
  'ai_function',
  'tool_plain',
  'beta_tool',
  'register_for_llm',
]

const decorated = (program: Program): readonly ToolFunction[] => {
  const { tokens } = program
  return tokens.flatMap((token, at) => {
    if (token.text !== '@' || token.kind !== 'operator' || !startsLine(program, at)) return []
    const end = decoratorEnd(program, at + 1)
    if (!DECORATORS.includes(tokens[end.last]?.text ?? '')) return []
    let def = end.after
    while (def < tokens.length && tokens[def]?.text === '@') def = decoratorEnd(program, def + 1).after
    if (tokens[def]?.text === 'async') def++
    return functionAt(program, def)
  })
}

/** The function whose `def` is at this index. */
const functionAt = (program: Program, def: number): readonly ToolFunction[] => {
  const { tokens } = program
  const name = tokens[def + 1]
  if (tokens[def]?.text !== 'def' || name === undefined) return []
  const parameters = argumentsOf(program, def + 2).map(
    ({ from, nameAt, name: key }) => key ?? tokens[Math.min(nameAt, from)]?.text ?? '',
  )
  return [{ name: name.text, parameters, body: bodyOf(program, def), start: name.start, end: name.end }]
}

/** Google ADK, Agno, AutoGen, LangGraph and others take plain functions: `Agent(tools=[search, FunctionTool(pay)])`. */
const listed = (program: Program, calls: readonly Call[]): readonly ToolFunction[] => {
  const { tokens } = program
  const names = new Set(
    calls.flatMap(({ args }) =>
      args
        .filter(({ name, from }) => name === 'tools' && tokens[from]?.text === '[')
        .flatMap(({ from, to }) => tokens.slice(from, Math.min(to, from + 200)))
        .flatMap(({ kind, text }) => (kind === 'name' ? [text] : [])),
    ),
  )
  if (names.size === 0) return []
  return tokens.flatMap(({ kind, text }, at) => {
    const isPlain = tokens[at - 1]?.text !== 'async' && startsLine(program, at)
    const isAsync = tokens[at - 1]?.text === 'async' && startsLine(program, at - 1)
    return kind === 'name' && text === 'def' && (isPlain || isAsync) && names.has(tokens[at + 1]?.text ?? '')
      ? functionAt(program, at)
      : []
  })
}

/** `@a.b.tool(…)`: the last name, and what follows. */
const decoratorEnd = ({ tokens, closes }: Program, from: number): { last: number; after: number } => {
  let last = from
  while (tokens[last + 1]?.text === '.') last += 2
  const open = last + 1
  return { last, after: tokens[open]?.text === '(' ? (closes.get(open) ?? open) + 1 : open }
}

const startsLine = ({ margins }: Program, at: number): boolean => {
  const margin = margins[at] ?? -1
  return margin >= 0 && margin < 200
}

const LONGEST_BODY = 5000

/** Until a line that is not indented further than the `def`. */
const bodyOf = (program: Program, def: number): Range => {
  const close = program.closes.get(def + 2) ?? def
  const margin = program.margins[program.tokens[def - 1]?.text === 'async' ? def - 1 : def] ?? 0
  let to = close + 1
  while (to < Math.min(program.tokens.length, close + LONGEST_BODY)) {
    if (to > close + 1 && startsLine(program, to) && (program.margins[to] ?? 0) <= margin) break
    to++
  }
  return { from: close + 1, to }
}

const executes = (program: Program, calls: readonly Call[]): readonly ToolFunction[] =>
  calls.flatMap(({ name, at, args }) => {
    if (
      !/^(tool|defineTool|createTool|dynamicTool|betaZodTool|registerTool|DynamicStructuredTool|DynamicTool)$/.test(
        name,
      )
    )
      return []
    const objects = args.filter(({ from }) => program.tokens[from]?.text === '{')
    const entries = objects.flatMap(({ from }) => argumentsOf(program, from))
    const run =
      entries.find((entry) => ['execute', 'func', 'run'].includes(entry.name ?? '')) ??
      args.find(({ from, to }) => isFunction(program, { from, to }))
    if (run === undefined) return []
    const key = entries.find((entry) => entry.name === 'name')
    const token = program.tokens[at]
    const named =
      key === undefined
        ? program.tokens[at - 2]?.text
        : program.tokens[key.from]?.text.replaceAll(/["'`]/g, '')
    let open = run.from
    while (open < run.to && program.tokens[open]?.text !== '(') open++
    const parameters = program.tokens
      .slice(open, Math.min(program.closes.get(open) ?? open, open + 100))
      .flatMap(({ kind, text }) => (kind === 'name' ? [text] : []))
    return [
      {
        name: named ?? 'tool',
        parameters,
        body: { from: run.from, to: Math.min(run.to, run.from + LONGEST_BODY) },
        start: token?.start ?? 0,
        end: token?.end ?? 0,
      },
    ]
  })

const isFunction = ({ tokens }: Program, { from, to }: Range): boolean =>
  tokens[from]?.text === 'async' ||
  (tokens[from]?.text === '(' &&
    tokens
      .slice(from, Math.min(to, from + 60))
      .some(({ text }, index, all) => text === '=' && all[index + 1]?.text === '>'))
