import { spawn } from 'node:child_process'

export interface Ended {
  /** -1 when it could not be started or was cut off. */
  readonly code: number
  /** The last 20 000 characters of both outputs. */
  readonly output: string
}

const KEPT = 20_000

/** Runs a program to its end or to the limit, and gives what it said last. Never throws. */
export const run = (program: string, args: readonly string[], limitMs: number): Promise<Ended> =>
  new Promise((done) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs })
    let output = ''
    const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-KEPT))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', (error) => done({ code: -1, output: error.message }))
    child.once('close', (code) => done({ code: code ?? -1, output }))
  })

export const lastLine = (output: string): string => output.trim().split('\n').at(-1)?.trim() ?? ''
