import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Io } from '../../command.ts'
import { tally } from '../../report/tally.ts'
import type { Attack } from '../attack.ts'
import type { Attempt } from '../attempt.ts'
import { send, type Endpoint } from '../client.ts'
import { finish } from '../finish.ts'
import type { AttackOptions, ToolName } from '../options.ts'
import { plant } from '../planted.ts'
import type { Targets } from '../session.ts'
import { garak } from './garak.ts'
import { promptfoo } from './promptfoo.ts'
import { art, promptbench, pyrit } from './scripts.ts'
import { asAttempt, type Tool } from './tool.ts'

const ROWS: Readonly<Record<ToolName, Tool>> = { garak, promptfoo, pyrit, promptbench, art }
const THIRD_PARTY = resolve(import.meta.dirname, '../../../third-party')

export interface Running {
  readonly options: AttackOptions
  readonly targets: Targets
  readonly io: Io
}

/**
 * Starts a foreign tool against the guarded target, then against the bare one, and keeps what it found like a run of ours.
 * The result is the exit code: 2 when the tool is not installed. Throws Error when it fails or writes no report.
 */
export const runTool = async (name: ToolName, { options, targets, io }: Running): Promise<number> => {
  const tool = ROWS[name]
  const folder = join(options.tools ?? join(homedir(), '.cache/postern-redteam'), name)
  if (!existsSync(join(folder, tool.program))) {
    io.err(`postern-sec: ${name} is not installed in ${folder}. To install it:\n  ${tool.install(folder)}\n`)
    return 2
  }
  const go = async (endpoint: Endpoint) => {
    await reachable(endpoint)
    return attemptsOf({ name, folder, endpoint, io })
  }
  const guarded = await go(targets.guarded)
  const bare = targets.bare && (await go(targets.bare))
  const at = new Date().toISOString()
  const record = {
    version: 1,
    id: `${at.slice(0, 19).replaceAll(/[-:]/g, '')}-${name}`,
    at,
    tool: name,
    model: options.model,
    seed: options.seed,
    plan: `${name}-${guarded.length}`,
    targets: { guarded: tally(guarded), ...(bare && { bare: tally(bare) }) },
  } as const
  // The tool's own report has the texts; there is nothing of ours to send again.
  return finish({ record, planted: plant(options.seed), attempts: [] }, options, io)
}

/** Some tools tell no refusal from a server that is gone, and would praise it. */
const reachable = async (endpoint: Endpoint): Promise<void> => {
  const messages = [{ role: 'user', content: 'When do you open on Saturdays?' }] as const
  const hello: Attack = { id: 'hello', family: 'benign', seed: 'hello', mutators: [], messages, tools: false }
  const { status } = await send(endpoint, hello)
  if (status !== 200)
    throw new Error(`${new URL(endpoint.url).host} answers ${status} to a harmless question`)
}

interface One {
  readonly name: ToolName
  readonly folder: string
  readonly endpoint: Endpoint
  readonly io: Io
}

const attemptsOf = async ({ name, folder, endpoint, io }: One): Promise<readonly Attempt[]> => {
  const tool = ROWS[name]
  const work = mkdtempSync(join(tmpdir(), `postern-${name}-`))
  try {
    const { program, args, env } = tool.start({ folder, config: join(THIRD_PARTY, name), work }, endpoint)
    await run(program, args, { ...process.env, HOME: work, ...env })
    const report = tool.reportFile(work)
    if (!existsSync(report)) throw new Error(`${name} wrote no report; its messages stand above`)
    const found = tool.parse(readFileSync(report, 'utf8'))
    if (found.length === 0) throw new Error(`${name} tried nothing; its messages stand above`)
    io.out(`${name}: ${found.length} attempts against ${new URL(endpoint.url).host}\n`)
    return found.map(asAttempt)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The exit code says different things with each tool (promptfoo: 100 when a test failed); the report is what counts. */
const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> =>
  new Promise((done, fail) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', fail)
    child.once('exit', () => done())
  })
