import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Io } from '../../command.ts'
import { htmlReportOfTools } from '../../report/html.ts'
import type { RunRecord, TargetName } from '../../report/record.ts'
import { openStore } from '../../report/store.ts'
import { tally } from '../../report/tally.ts'
import { sum } from '../../report/words.ts'
import type { Attack } from '../attack.ts'
import type { Attempt } from '../attempt.ts'
import { send, type Endpoint } from '../client.ts'
import { finish } from '../finish.ts'
import { TOOLS, type AttackOptions, type ToolName } from '../options.ts'
import { plant } from '../planted.ts'
import { headOf, type Targets } from '../session.ts'
import { garak } from './garak.ts'
import { installedVersion } from './installed.ts'
import { runWatched, type Ended } from './process.ts'
import { promptfoo } from './promptfoo.ts'
import { startRelay, type Relay } from './relay.ts'
import { art, promptbench, pyrit } from './scripts.ts'
import { asAttempt, type Tool } from './tool.ts'

const ROWS: Readonly<Record<ToolName, Tool>> = { garak, promptfoo, pyrit, promptbench, art }
const THIRD_PARTY = resolve(import.meta.dirname, '../../../third-party')
const MOST_REPORT = 256 << 20
const EVERY_SECONDS = 30

export interface Running {
  readonly options: AttackOptions
  readonly targets: Targets
  readonly io: Io
}

/**
 * Starts foreign tools, one after the other, each against the guarded target and then against the bare one, and keeps what they found
 * like runs of ours. The result is the highest exit code: 2 when one that was asked for is not installed. Throws Error when the only
 * tool fails before it has found anything.
 */
export const runTools = async (running: Running): Promise<number> => {
  const { options, io } = running
  const wanted = options.tool === 'all' || options.tool === undefined ? TOOLS : options.tool
  const missing = wanted.filter((name) => !existsSync(join(options.tools, name, ROWS[name].program)))
  for (const name of missing) io.err(`postern-sec: ${howToInstall(name, options)}`)
  const there = wanted.filter((name) => !missing.includes(name))
  if (there.length === 0 || (options.tool !== 'all' && missing.length > 0)) return 2
  const [only] = there
  if (only !== undefined && wanted.length === 1) return (await runTool(only, running)).code
  return runSeveral(there, missing, running)
}

/** One tool that fails does not take the others with it: the report is written again after each. */
const runSeveral = async (
  names: readonly ToolName[],
  missing: readonly ToolName[],
  { options: { report, ...options }, targets, io }: Running,
): Promise<number> => {
  const before = openStore(options.store).runs()
  const ended: RanTool[] = []
  const notes = missing.map((name) => `${name} is not installed, so it was not run.`)
  const written = (): void => {
    if (report === undefined || ended.length === 0) return
    const records = ended.map(({ record }) => record)
    writeFileSync(report, htmlReportOfTools(records, before, notes))
  }
  for (const [at, name] of names.entries()) {
    if (targets.stop?.aborted === true) {
      notes.push(`${name} was not run: somebody ended the run before.`)
      continue
    }
    io.out(`\n${name}, tool ${at + 1} of ${names.length}\n`)
    try {
      ended.push(await runTool(name, { options: { ...options, report: undefined }, targets, io }))
    } catch (error) {
      const why = error instanceof Error ? error.message : `${name} failed`
      notes.push(`${name} gave no result, so nothing is known from it.`)
      io.err(`postern-sec: ${why}\n`)
    }
    written()
  }
  written()
  io.out(inShort(ended, notes))
  if (report !== undefined && ended.length > 0) io.out(`report: ${report}\n`)
  return Math.max(ended.length < names.length ? 3 : 0, ...ended.map(({ code }) => code))
}

interface RanTool {
  readonly code: number
  readonly record: RunRecord
}

/** The last lines of a run of several tools. */
const inShort = (ended: readonly RanTool[], notes: readonly string[]): string => {
  const rows = ended.map(({ record: { tool, toolVersion = '', targets, unfinished } }) => {
    const { attacks, successes } = sum(targets.guarded?.families ?? {})
    const open = targets.bare === undefined ? '' : `, ${sum(targets.bare.families).successes} without it`
    return `${`${tool} ${toolVersion}`.padEnd(22)}${successes} of ${attacks} through the guard${open}${unfinished === undefined ? '' : '; did not end'}\n`
  })
  return `\n${rows.join('')}${notes.map((note) => `${note}\n`).join('')}`
}

const howToInstall = (name: ToolName, { tools }: AttackOptions): string => {
  const folder = join(tools, name)
  return `${name} is not installed in ${folder}. To install it:\n  ${ROWS[name].install(folder, join(THIRD_PARTY, name))}\n`
}

const runTool = async (name: ToolName, { options, targets, io }: Running): Promise<RanTool> => {
  const { pin } = ROWS[name]
  const version = installedVersion(join(options.tools, name), pin.name) ?? 'unknown'
  if (version !== pin.version)
    io.err(`postern-sec: ${name} ${version} is installed; this was tried with ${pin.version}\n`)
  const head = headOf(options, name, '')
  const guarded = await against('guarded', { name, endpoint: targets.guarded, options, targets, io })
  const bare =
    targets.bare && guarded.unfinished === undefined
      ? await against('bare', { name, endpoint: targets.bare, options, targets, io })
      : undefined
  const unfinished = guarded.unfinished ?? bare?.unfinished
  const record = {
    ...head,
    at: new Date().toISOString(),
    toolVersion: version,
    plan: `${name}-${version}-${guarded.attempts.length}`,
    ...(unfinished !== undefined && { unfinished }),
    targets: { guarded: tally(guarded.attempts), ...(bare && { bare: tally(bare.attempts) }) },
  }
  // The texts are the tool's; there is nothing of ours to send again.
  const code = await finish({ record, planted: plant(options.seed), attempts: [] }, options, io)
  return { code, record }
}

interface One extends Running {
  readonly name: ToolName
  readonly endpoint: Endpoint
}

interface Found {
  readonly attempts: readonly Attempt[]
  readonly unfinished: string | undefined
}

const against = async (target: TargetName, one: One): Promise<Found> => {
  const { name, endpoint, options, io } = one
  const tool = ROWS[name]
  const answersInMs = await reachable(endpoint)
  const work = mkdtempSync(join(tmpdir(), `postern-${name}-`))
  const relay = await startRelay(endpoint)
  try {
    const places = { folder: join(options.tools, name), config: join(THIRD_PARTY, name), work, answersInMs }
    const started = tool.start(places, { ...endpoint, url: relay.url, key: relay.key })
    const ended = await runWatched(
      { ...started, env: { HOME: work, ...started.env } },
      {
        deadlineMs: options.toolTimeoutMs,
        stop: one.targets.stop,
        onSecond: progress(`${name}, ${target}`, relay, io),
      },
    )
    if (io.terminal) io.err('\n')
    const unfinished = whyUnfinished(one, ended)
    const attempts = read(tool, { report: tool.reportFile(work), relay, half: unfinished !== undefined })
    if (unfinished !== undefined)
      io.err(`postern-sec: ${name}: ${unfinished}. Its last words:\n${plain(ended.said)}\n`)
    if (attempts.length === 0)
      throw new Error(`${name} has no results for the ${target} target; its last words: ${plain(ended.said)}`)
    const { sent, stopped, failed } = relay.counts()
    io.out(
      `${name}, ${target}: ${attempts.length} results from ${sent} requests, of which ${stopped} were stopped and ${failed} failed\n`,
    )
    return { attempts, unfinished }
  } finally {
    await relay.close()
    rmSync(work, { recursive: true, force: true })
  }
}

/** Milliseconds to a first answer. Some tools tell no refusal from a server that is gone, and would praise it. */
const reachable = async (endpoint: Endpoint): Promise<number> => {
  const started = performance.now()
  const messages = [{ role: 'user', content: 'When do you open on Saturdays?' }] as const
  const hello: Attack = { id: 'hello', family: 'benign', seed: 'hello', mutators: [], messages, tools: false }
  const { status } = await send(endpoint, hello)
  if (status !== 200)
    throw new Error(
      `${new URL(endpoint.url).host} ${status === 0 ? 'gives no answer' : `answers ${status}`} to a harmless question`,
    )
  return performance.now() - started
}

const progress =
  (title: string, relay: Relay, io: Io) =>
  (seconds: number): void => {
    const { sent, stopped } = relay.counts()
    const line = `${title}: ${seconds} s, ${sent} requests, ${stopped} stopped`
    if (io.terminal) io.err(`\r${line} `)
    else if (seconds % EVERY_SECONDS === 0) io.err(`${line}\n`)
  }

interface Reading {
  readonly report: string
  readonly relay: Relay
  /** The tool did not end by itself, so its report may be none. */
  readonly half: boolean
}

const read = (tool: Tool, { report, relay, half }: Reading): readonly Attempt[] => {
  if (!existsSync(report)) return []
  if (statSync(report).size > MOST_REPORT) throw new Error('the report of the tool is larger than 256 MiB')
  let doubtful = tool.hidesFailures ? relay.counts().failed : 0
  return parsed(tool, readFileSync(report, 'utf8'), half).map((found, at) => {
    const attempt = asAttempt(found, at)
    if (attempt.verdict !== 'blocked' || doubtful === 0) return attempt
    doubtful -= 1
    return { ...attempt, verdict: 'error' }
  })
}

const parsed = (tool: Tool, text: string, half: boolean): ReturnType<Tool['parse']> => {
  try {
    return tool.parse(text)
  } catch (error) {
    if (half) return []
    throw error
  }
}

const whyUnfinished = ({ name, options }: One, { how, code }: Ended): string | undefined => {
  if (how === 'stopped') return 'it was stopped by hand'
  if (how === 'late')
    return `${name} was ended after ${options.toolTimeoutMs / 1000} s; --tool-timeout gives it more`
  return ROWS[name].fine.includes(code) ? undefined : `${name} failed with exit code ${code}`
}

/** Without what a terminal would act on, and of a progress bar only what was drawn last. */
const plain = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r') + 1))
    .join('\n')
    .replaceAll(/\p{Cc}\[[0-9;]*[A-Za-z]/gu, '')
    .replaceAll(/\p{Cc}/gu, (character) => (character === '\n' ? '\n' : ' '))
    .slice(-2000)
