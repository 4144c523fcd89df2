/** Structured, without content: `fields` are names, codes, counts and times; `cause` is reduced to error names and messages of our own code and of libraries. */
export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined | Error>>

export const noLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
