import type { Call } from '../calls.ts'
import type { Finding } from '../finding.ts'
import type { Program, Range } from '../program.ts'
import type { RuleId } from '../rules.ts'
import { expressionEnd } from '../statement.ts'
import type { ToolFunction } from '../tool-functions.ts'
import { wordsOf } from '../trust.ts'

interface Sink {
  readonly rule: RuleId
  /** The whole path of a call, or its last name after a dot. */
  readonly paths: readonly string[]
}

const SINKS: readonly Sink[] = [
  {
    rule: 'shell-tool',
    paths:
      `os.system os.popen subprocess.run subprocess.call subprocess.Popen subprocess.check_output subprocess.getoutput
      asyncio.create_subprocess_shell exec execSync execAsync spawn spawnSync child_process.exec child_process.execSync execa`.split(
        /\s+/,
      ),
  },
  {
    rule: 'code-tool',
    paths: 'eval Function vm.runInNewContext vm.runInThisContext vm.runInContext'.split(' '),
  },
  {
    rule: 'raw-sql-tool',
    paths: '.execute .executescript .executemany .raw .$queryRawUnsafe .read_sql .run_sql .unsafe'.split(' '),
  },
  {
    rule: 'file-write-tool',
    paths:
      '.write_text .write_bytes .unlink shutil.rmtree os.remove os.unlink fs.writeFile fs.writeFileSync fs.unlink fs.rm fs.rmSync writeFile writeFileSync unlink'.split(
        ' ',
      ),
  },
  {
    rule: 'any-url-tool',
    paths:
      'requests.get requests.post requests.request httpx.get httpx.post urllib.request.urlopen urlopen fetch axios.get axios.post axios got aiohttp.get'.split(
        ' ',
      ),
  },
]

/** Of one file; more than any real program has, and few enough that the work stays small. */
const MOST_FUNCTIONS = 300

/** Functions for the model whose parameters reach a shell, an interpreter, SQL, a file or an address. */
export const checkToolFunctions = (
  program: Program,
  calls: readonly Call[],
  functions: readonly ToolFunction[],
): readonly Finding[] =>
  functions.slice(0, MOST_FUNCTIONS).flatMap((tool) => {
    const inside = calls.filter(({ at }) => at >= tool.body.from && at < tool.body.to)
    const made = derived(program, tool)
    const found = inside.flatMap((call) => sinkOf(program, call, { ...tool, derived: made }) ?? [])
    return found.filter((finding, index) => found.findIndex(({ rule }) => rule === finding.rule) === index)
  })

interface Followed extends ToolFunction {
  readonly derived: readonly string[]
}

const sinkOf = (program: Program, call: Call, tool: Followed): Finding | undefined => {
  const rule = ruleOf(program, call)
  const parameters = DIRECT.includes(rule ?? '') ? tool.derived : tool.parameters
  if (rule === undefined || !reaches(program, call, { rule, parameters })) return undefined
  const { start = 0, end = 0 } = program.tokens[call.at] ?? {}
  return {
    rule,
    message: `The tool ${tool.name} hands its arguments to ${call.path.slice(0, 60)}.`,
    start,
    end,
  }
}

const ruleOf = (program: Program, call: Call): RuleId | undefined => {
  const isPython = program.source.language !== 'typescript'
  if (call.path === 'exec') return isPython ? 'code-tool' : 'shell-tool'
  if (call.path === 'open' && isPython)
    return /["'][wax]b?\+?["']/.test(textOf(program, call)) ? 'file-write-tool' : undefined
  return SINKS.find(
    ({ paths }) => paths.includes(call.path) || (call.path.includes('.') && paths.includes(`.${call.name}`)),
  )?.rule
}

const textOf = ({ tokens, source }: Program, { open, close }: Call): string =>
  source.text.slice(
    tokens[open]?.start ?? 0,
    Math.min(tokens[close]?.end ?? 0, (tokens[open]?.start ?? 0) + 2000),
  )

/** A parameter stands in the first argument, or in a hole of its text. Bound SQL parameters come after it. */
const reaches = (program: Program, call: Call, { rule, parameters }: Reach): boolean => {
  const [first] = call.args
  if (first === undefined) return call.name === 'unlink'
  if (rule === 'any-url-tool' && hasFixedHost(program.tokens[first.from], parameters)) return false
  return mentions(program, first, parameters)
}

/** Where a text made of a parameter is as bad as the parameter. A path or address may have been checked on the way. */
const DIRECT: readonly string[] = ['shell-tool', 'code-tool', 'raw-sql-tool']

/** Of one function. */
const MOST_ASSIGNMENTS = 200

/** The parameters and the names that are given something made of them, in the order of the function. */
const derived = (program: Program, { parameters, body }: ToolFunction): readonly string[] => {
  const names = [...parameters]
  let looked = 0
  for (let at = body.from; at < body.to && looked < MOST_ASSIGNMENTS; at++) {
    const { tokens } = program
    const name = tokens[at - 1]
    if (tokens[at]?.text !== '=' || name?.kind !== 'name' || '=>'.includes(tokens[at + 1]?.text ?? '='))
      continue
    looked++
    const range = { from: at + 1, to: Math.min(expressionEnd(program, at + 1), at + 200) }
    if (mentions(program, range, names)) names.push(name.text)
  }
  return names
}

const mentions = (program: Program, { from, to }: Range, names: readonly string[]): boolean =>
  program.tokens
    .slice(from, Math.min(to, from + 200))
    .some(({ kind, text, pieces }) =>
      kind === 'name'
        ? names.includes(text)
        : (pieces?.some(
            (piece) => piece.kind === 'hole' && names.some((name) => wordAt(piece.expression, name)),
          ) ?? false),
    )

interface Reach {
  readonly rule: RuleId
  readonly parameters: readonly string[]
}

/** An address that begins with a host of the program, or with a name that is none of the parameters. */
const hasFixedHost = (
  token: Program['tokens'][number] | undefined,
  parameters: readonly string[],
): boolean => {
  const [first] = token?.pieces ?? []
  if (first?.kind === 'text') return /^https?:\/\/[^/]+[/?]/.test(first.text)
  return first?.kind === 'hole' && !parameters.some((name) => wordAt(first.expression, name))
}

const wordAt = (expression: string, name: string): boolean =>
  expression.split(/[^\p{L}\p{N}_$]+/u).includes(name)

const WRITES = new Set(
  'send delete remove transfer pay refund purchase buy publish deploy drop cancel wire withdraw terminate destroy'.split(
    ' ',
  ),
)
const ASKS =
  /interrupt|approv|human_in_the_loop|human[_ ]?input|elicit|dry_run|(?:ask|require|request|user|must|to)[_ ]?confirm/i

/** Tools that change the world beside no word of approval in the whole file. */
export const checkApproval = (
  text: string,
  tools: readonly { readonly name: string; readonly start: number; readonly end: number }[],
): readonly Finding[] => {
  if (ASKS.test(text)) return []
  return tools
    .filter(({ name }) => WRITES.has(wordsOf(name)[0] ?? ''))
    .map(({ name, start, end }) => ({
      rule: 'write-without-human',
      message: `The tool ${name} runs without anybody being asked.`,
      start,
      end,
    }))
}
