import type { Call } from '../calls.ts'
import type { Finding } from '../finding.ts'
import { literalAt, type Argument, type Program } from '../program.ts'
import type { RuleId } from '../rules.ts'
import { wordsOf } from '../trust.ts'
import { checkRevisions } from './models.ts'

/** Classes and functions that hand a power to a model, as their libraries name them. */
const POWERS: Readonly<Record<string, readonly [RuleId, string]>> = {
  ShellTool: ['shell-tool', 'ShellTool runs any command.'],
  ShellTools: ['shell-tool', 'ShellTools runs any command.'],
  BashProcess: ['shell-tool', 'BashProcess runs any command.'],
  LocalShellTool: ['shell-tool', 'LocalShellTool runs any command.'],
  LLMBashChain: ['shell-tool', 'LLMBashChain runs the commands a model writes.'],
  PythonTools: ['code-tool', 'PythonTools runs any Python.'],
  PythonREPLTool: ['code-tool', 'PythonREPLTool runs any Python.'],
  PythonREPL: ['code-tool', 'PythonREPL runs any Python.'],
  PythonAstREPLTool: ['code-tool', 'PythonAstREPLTool runs any Python.'],
  CodeInterpreterToolSpec: ['code-tool', 'CodeInterpreterToolSpec runs any Python.'],
  LocalCommandLineCodeExecutor: ['code-tool', 'LocalCommandLineCodeExecutor runs code on this machine.'],
  CodeAgent: ['code-tool', 'CodeAgent runs the Python a model writes in this process.'],
  PALChain: ['code-tool', 'PALChain runs the Python a model writes.'],
  create_pandas_dataframe_agent: ['code-tool', 'The pandas agent runs the Python a model writes.'],
  create_csv_agent: ['code-tool', 'The CSV agent runs the Python a model writes.'],
  create_python_agent: ['code-tool', 'The Python agent runs the Python a model writes.'],
  PandasQueryEngine: ['code-tool', 'PandasQueryEngine runs the Python a model writes.'],
  DuckDbTools: ['raw-sql-tool', 'DuckDbTools sends any SQL.'],
  SQLTools: ['raw-sql-tool', 'SQLTools sends any SQL.'],
  NL2SQLTool: ['raw-sql-tool', 'NL2SQLTool sends any SQL.'],
  SQLDatabaseToolkit: ['raw-sql-tool', 'SQLDatabaseToolkit sends any SQL.'],
  QuerySQLDataBaseTool: ['raw-sql-tool', 'QuerySQLDataBaseTool sends any SQL.'],
  QuerySQLDatabaseTool: ['raw-sql-tool', 'QuerySQLDatabaseTool sends any SQL.'],
  QuerySqlTool: ['raw-sql-tool', 'QuerySqlTool sends any SQL.'],
  SQLDatabaseChain: ['raw-sql-tool', 'SQLDatabaseChain sends the SQL a model writes.'],
  create_sql_agent: ['raw-sql-tool', 'The SQL agent sends the SQL a model writes.'],
  createSqlAgent: ['raw-sql-tool', 'The SQL agent sends the SQL a model writes.'],
  NLSQLTableQueryEngine: ['raw-sql-tool', 'NLSQLTableQueryEngine sends the SQL a model writes.'],
  FileManagementToolkit: ['file-write-tool', 'FileManagementToolkit writes and deletes files.'],
  WriteFileTool: ['file-write-tool', 'WriteFileTool writes files.'],
  DeleteFileTool: ['file-write-tool', 'DeleteFileTool deletes files.'],
  MoveFileTool: ['file-write-tool', 'MoveFileTool moves files.'],
  FileWriterTool: ['file-write-tool', 'FileWriterTool writes files.'],
  ScrapeWebsiteTool: ['any-url-tool', 'ScrapeWebsiteTool reads any address.'],
  RequestsToolkit: ['any-url-tool', 'RequestsToolkit requests any address.'],
  RequestsGetTool: ['any-url-tool', 'RequestsGetTool requests any address.'],
  RequestsPostTool: ['any-url-tool', 'RequestsPostTool sends to any address.'],
}

/** What a file's calls hand over, load, or run. */
export const checkCalls = (program: Program, calls: readonly Call[]): readonly Finding[] =>
  calls.flatMap((call) => [
    ...power(program, call),
    ...loading(program, call),
    ...running(program, call),
    ...messages(program, call),
  ])

const spanOf = ({ tokens }: Program, { at, close }: Call): { start: number; end: number } => ({
  start: tokens[at]?.start ?? 0,
  end: Math.min(tokens[close]?.end ?? tokens[at]?.end ?? 0, (tokens[at]?.start ?? 0) + 200),
})

const named = (call: Call, ...names: readonly string[]): Argument | undefined =>
  call.args.find(({ name }) => name !== undefined && names.includes(name))

/** Arguments that confine a tool: a folder, a hosted container, a person who is asked. */
const CONFINED = [
  'root_dir',
  'rootDir',
  'environment',
  'needs_approval',
  'needsApproval',
  'executor_type',
  'website_url',
  'base_dir',
]

const power = (program: Program, call: Call): readonly Finding[] => {
  const row = Object.hasOwn(POWERS, call.name) ? POWERS[call.name] : undefined
  if (row === undefined || named(call, ...CONFINED) !== undefined) return []
  return [{ rule: row[0], message: row[1], ...spanOf(program, call) }]
}

const PICKLES = [
  'pickle.load',
  'pickle.loads',
  'joblib.load',
  'dill.load',
  'dill.loads',
  'cloudpickle.load',
  'cloudpickle.loads',
]

const loading = (program: Program, call: Call): readonly Finding[] => {
  const span = spanOf(program, call)
  if (PICKLES.includes(call.path))
    return [{ rule: 'unsafe-deserialization', message: `${call.path} runs what the file says.`, ...span }]
  if (call.path === 'torch.load' && named(call, 'weights_only') === undefined)
    return [
      {
        rule: 'unsafe-deserialization',
        level: 'warning',
        message: 'torch.load without weights_only=True.',
        ...span,
      },
    ]
  const first = call.args[0]
  const text =
    first === undefined || first.name !== undefined || first.to - first.from > 1
      ? undefined
      : literalAt(program, first.from)
  if (call.name === 'from_pretrained' && text !== undefined)
    return checkRevisions([{ name: text, hasRevision: named(call, 'revision') !== undefined, ...span }])
  if (call.path.endsWith('hub.pull') && text !== undefined && !text.includes(':'))
    return [{ rule: 'unpinned-prompt', message: `${text.slice(0, 80)} is pulled without a commit.`, ...span }]
  if (
    call.path === 'jinja2.Template' ||
    (call.name === 'Template' && /import Template|jinja2/.test(program.source.text))
  )
    return literalOnly(program, first) || !/jinja2/.test(program.source.text)
      ? []
      : [{ rule: 'jinja2-template', message: 'A Jinja template that is not a literal.', ...span }]
  const format = named(call, 'template_format', 'templateFormat')
  if (format !== undefined && literalAt(program, format.from) === 'jinja2')
    return [{ rule: 'jinja2-template', message: 'template_format is jinja2.', ...span }]
  return []
}

const literalOnly = (program: Program, argument: Argument | undefined): boolean =>
  argument === undefined || literalAt(program, argument.from) !== undefined

const INTERPRETERS =
  `eval exec os.system os.popen subprocess.run subprocess.call subprocess.Popen subprocess.check_output
  child_process.exec execSync vm.runInNewContext vm.runInThisContext Function`.split(/\s+/)
const ANSWERS = ['response', 'completion', 'llm', 'answer', 'generated', 'generation', 'gpt', 'ai', 'reply']

const running = (program: Program, call: Call): readonly Finding[] => {
  const isSql = call.name === 'execute' || call.name === 'executescript'
  const isInterpreter = INTERPRETERS.includes(call.path) || isSql
  const first = call.args[0]
  if (!isInterpreter || first === undefined || first.name !== undefined || first.to - first.from > 60)
    return []
  const names = program.tokens
    .slice(first.from, first.to)
    .flatMap(({ kind, text }) => (kind === 'name' ? [text] : []))
  const answer = names.find((name) => wordsOf(name).some((word) => ANSWERS.includes(word)))
  if (answer === undefined) return []
  return [
    { rule: 'model-output-executed', message: `${call.path} gets ${answer}.`, ...spanOf(program, call) },
  ]
}

const REQUEST =
  /^(?:await )?(?:\(?await )?(?:req(?:uest)?|body|payload|ctx|event|data)\b[\w.\s?()[\]'"]{0,60}\bmessages\b/

/** `messages=request.json["messages"]`, given to a model as it came. */
const messages = (program: Program, call: Call): readonly Finding[] => {
  if (!/create|generate|stream|invoke|chat|complete/i.test(call.name)) return []
  const objects = call.args.filter(({ from }) => program.tokens[from]?.text === '{')
  const given = named(call, 'messages') ?? objects.flatMap(({ from, to }) => messagesIn(program, from, to))[0]
  if (given === undefined) return []
  const start = program.tokens[given.from]?.start ?? 0
  const end = program.tokens[given.to - 1]?.end ?? start
  if (end - start > 200 || !REQUEST.test(program.source.text.slice(start, end))) return []
  return [
    { rule: 'caller-chooses-messages', message: 'messages is taken from the request as it is.', start, end },
  ]
}

const messagesIn = (
  { tokens }: Program,
  from: number,
  to: number,
): readonly { from: number; to: number }[] => {
  for (let at = from + 1; at < Math.min(to, from + 200); at++) {
    if (tokens[at]?.text !== 'messages' || tokens[at + 1]?.text !== ':') continue
    let end = at + 2
    while (end < to && tokens[end]?.text !== ',' && tokens[end]?.text !== '}') end++
    return [{ from: at + 2, to: end }]
  }
  return []
}
