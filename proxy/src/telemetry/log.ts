import { pino, type DestinationStream } from 'pino'
import type { Log, LogFields } from '../core/log.ts'

export interface JsonLogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where lines go. Standard error when undefined: standard output may carry the audit log. */
  readonly destination: DestinationStream | undefined
  /** Put into every line, such as `service` and `pod`. */
  readonly base: Readonly<Record<string, string>>
}

const MAX_STRING = 512
const MAX_CAUSES = 4

/**
 * One JSON line per event: `time` (RFC 3339), `level`, `event`, and the fields. An Error becomes its name, code and message, each
 * cut short, with its causes; never its other properties, which in third-party errors may hold requests. Stacks at level `debug` only.
 */
export const jsonLog = (options: JsonLogOptions): Log => {
  const logger = pino(
    {
      level: options.level,
      base: { ...options.base },
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  )
  const stacks = options.level === 'debug'
  return {
    info: (event, fields) => logger.info(plain(fields, stacks), event),
    warn: (event, fields) => logger.warn(plain(fields, stacks), event),
    error: (event, fields) => logger.error(plain(fields, stacks), event),
  }
}

/** Names that the line itself uses; a field must not write over them. */
const OWN = new Set(['level', 'time', 'event'])

type Plain = Record<string, unknown>

const plain = (fields: LogFields | undefined, stacks: boolean): Plain => {
  const line: Plain = {}
  for (const [key, value] of Object.entries(fields ?? {})) {
    const name = OWN.has(key) ? `${key}_` : key
    if (value instanceof Error) line[name] = reduced(value, stacks)
    else if (value !== undefined) line[name] = typeof value === 'string' ? clip(value) : value
  }
  return line
}

const reduced = (error: Error, stacks: boolean, depth = 1): Plain => ({
  name: clip(error.name),
  // V8 quotes the text it could not parse in a SyntaxError, and that text may be a caller's.
  ...(error instanceof SyntaxError ? {} : { message: clip(error.message) }),
  ...('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
    ? { code: typeof error.code === 'string' ? clip(error.code) : error.code }
    : {}),
  ...(stacks && error.stack !== undefined ? { stack: error.stack.slice(0, 4096) } : {}),
  ...(error.cause instanceof Error && depth < MAX_CAUSES
    ? { cause: reduced(error.cause, stacks, depth + 1) }
    : {}),
})

const clip = (text: string): string => (text.length > MAX_STRING ? `${text.slice(0, MAX_STRING)}…` : text)
