import { readBounded } from '../core/read-bounded.ts'
import { styleText } from 'node:util'

/** What a command may touch of the world around it. */
export interface Io {
  out(text: string): void
  err(text: string): void
  /** Standard input to its end, at most `limit` bytes; throws Failure beyond it. */
  stdin(limit: number): Promise<Buffer>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly paint: Paint
}

export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string

export interface Command {
  /** What `--help` prints: usage, options, examples, exit codes. */
  readonly help: string
  /** Returns the exit code. */
  readonly run: (args: readonly string[], io: Io) => Promise<number>
}

/** Documented in every help text; 2 and 3 mean that the question was not answered. */
export const EXIT = { ok: 0, no: 1, usage: 2, failed: 3 } as const

/** Ends a command with a message for the user: what is wrong, and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: number
  constructor(message: string, exit: number = EXIT.usage) {
    super(message)
    this.exit = exit
  }
}

/** Why a file could not be read, in words; the path stands in the message around it. */
export const unreadable = (error: unknown): string => {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EISDIR':
      return 'it is a folder; name a file'
    case 'EACCES':
      return 'permission denied'
    default:
      return (error as Error).message
  }
}

/** Colours only on a terminal, and never with NO_COLOR. */
export const systemIo = (): Io => ({
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin: async (limit) => {
    const bytes = await readBounded(process.stdin as AsyncIterable<Buffer>, limit)
    if (bytes === undefined) throw new CliError(`standard input is larger than ${limit} bytes`, EXIT.failed)
    return bytes
  },
  env: process.env,
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
})
