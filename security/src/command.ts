/** One word after `postern-sec`. */
export interface Command {
  /** One line of `postern-sec --help`. */
  readonly summary: string
  /** Reads its own arguments, with its own `--help`. The result is the exit code: 0 clean, 1 something was found, 2 wrong use. */
  run(args: readonly string[], io: Io): Promise<number>
}

export interface Io {
  out(text: string): void
  err(text: string): void
  /** Colours and progress bars only then. */
  readonly terminal: boolean
}
