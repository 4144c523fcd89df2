import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { bin } from './folders.ts'

export type Run = (args: readonly string[], stdin?: string) => Promise<string>

/** kubectl against one cluster: what it writes to stdout. Throws an Error with what it wrote to stderr. */
export const kubectl =
  (kubeconfig: string): Run =>
  (args, stdin) =>
    capture([join(bin, 'kubectl'), '--kubeconfig', kubeconfig, ...args], { stdin })

export const helm =
  (kubeconfig: string): Run =>
  (args, stdin) =>
    capture([join(bin, 'helm'), '--kubeconfig', kubeconfig, ...args], { stdin })

export interface CaptureOptions {
  readonly stdin?: string | undefined
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a program to its end and gives its stdout. Throws with what it wrote when it fails. */
export const capture = (command: readonly string[], options: CaptureOptions = {}): Promise<string> =>
  new Promise((done, fail) => {
    const [program = '', ...args] = command
    const { stdin, ...rest } = options
    const child = spawn(program, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.once('error', fail)
    child.once('close', (code) => {
      const said = Buffer.concat(out).toString()
      if (code === 0) {
        done(said)
        return
      }
      const why = `${Buffer.concat(err).toString()}${said}`.trim()
      fail(new Error(`${program.split('/').at(-1) ?? ''} ${args.join(' ')}: ${why}`))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
  })
