import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { bin } from '../cluster/folders.ts'

/** One block of commands of a document. */
export interface Step {
  /** File and line. */
  readonly at: string
  readonly commands: string
  /** The block begins with ```sh fails: its last command must fail. */
  readonly fails: boolean
  /** Lines of the ```text block right below, each of which must be part of what is written. */
  readonly shows: readonly string[]
}

/** The blocks ```sh of a document, in order. Those of ```sh elsewhere need what a test cluster lacks, and are left out. */
export const stepsOf = (name: string, text: string): readonly Step[] => {
  const blocks = [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(
    ({ 1: info = '', 2: body = '', index }) => ({
      info: info.trim(),
      body,
      line: text.slice(0, index).split('\n').length,
    }),
  )
  return blocks.flatMap(({ info, body, line }, at) => {
    if (info !== 'sh' && info !== 'sh fails') return []
    const next = blocks[at + 1]
    const shows = next?.info === 'text' ? next.body.trim().split('\n') : []
    return [{ at: `${name}:${line}`, commands: body, fails: info === 'sh fails', shows }]
  })
}

export interface Workplace {
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
}

const ROOT = join(import.meta.dirname, '../..')
const IMAGE = /ghcr\.io\/postern\/postern:[\w.-]+/g

export interface WorkplaceOptions {
  readonly kubeconfig: string
  /** Takes the place of the published image in the examples. */
  readonly image: string
  /** Put behind every `helm install postern` and `helm upgrade postern`. */
  readonly chartFlags: string
}

/** A folder that looks like the top of the repository to the commands of a document, with the image of this repository in the examples. */
export const workplace = ({ kubeconfig, image, chartFlags }: WorkplaceOptions): Workplace => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-documents-'))
  cpSync(join(ROOT, 'charts'), join(folder, 'charts'), { recursive: true })
  for (const name of ['monitoring', 'security', 'proxy', 'policies', 'node_modules'])
    symlinkSync(join(ROOT, name), join(folder, name))
  const examples = join(folder, 'charts/examples')
  for (const name of readdirSync(examples)) {
    const file = join(examples, name)
    writeFileSync(file, readFileSync(file, 'utf8').replace(IMAGE, image))
  }
  const programs = [bin, join(ROOT, 'node_modules/.bin')].join(delimiter)
  return {
    folder,
    environment: {
      ...process.env,
      PATH: `${programs}${delimiter}${process.env.PATH ?? ''}`,
      KUBECONFIG: kubeconfig,
      POSTERN_CHART_FLAGS: chartFlags,
    },
  }
}

/** Ends each block with what the release of a test needs. */
const withFlags = (commands: string): string =>
  commands.replace(/^helm (?:install|upgrade) postern [^\n]*$/gm, '$& $POSTERN_CHART_FLAGS')

const READS = /^(?:[A-Z]+=\$\()?kubectl (?:-n \S+ )?(?:get|logs|describe|exec|apply --dry-run=server|wait) /

/** Whether a block may be run again until it shows what it must: clusters take a moment to do as they are told. */
const onlyReads = ({ commands }: Step): boolean =>
  commands
    .trim()
    .split('\n')
    .every((line) => READS.test(line))

/** Runs the block; rejects with everything it wrote when something is not as the document says. */
export const runStep = async (step: Step, place: Workplace): Promise<void> => {
  const until = performance.now() + (onlyReads(step) ? 60_000 : 0)
  for (;;) {
    const { status, output } = await bash(withFlags(step.commands), place)
    const missing = step.shows.filter((line) => !output.includes(line))
    if (missing.length === 0 && (status !== 0) === step.fails) return
    if (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 2000))
      continue
    }
    const why = missing.length > 0 ? `does not show ${JSON.stringify(missing)}` : `ends with ${status}`
    throw new Error(`${step.at} ${why}\n${step.commands}\n${output}`)
  }
}

const bash = (
  script: string,
  { folder, environment }: Workplace,
): Promise<{ status: number; output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env: environment })
    const said: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ status: code ?? 1, output: Buffer.concat(said).toString() }))
  })
