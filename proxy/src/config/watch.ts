import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { watchFiles } from '../core/watch-files.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'

export interface ConfigWatch {
  /** Undefined when the configuration itself cannot change, only the files that it names. */
  readonly file: string | undefined
  /** Reads and checks; throws ConfigError. */
  readonly load: () => Config | Promise<Config>
  /** Swaps all or nothing; what it throws keeps the old. */
  readonly apply: (config: Config) => void | Promise<void>
  readonly onError?: (error: unknown) => void
  readonly meter: Meter
  readonly log: Log
  /** More files whose change means a reload, such as secrets. */
  readonly alsoWatch?: readonly string[]
  readonly debounceMs?: number
  readonly pollMs?: number
  /** Where SIGHUP is listened for; the process unless a test says otherwise. */
  readonly signals?: Pick<NodeJS.Process, 'on' | 'off'>
}

/** Reloads when a file changes and on SIGHUP. A configuration that is not good changes nothing, and every problem is logged. */
export const watchConfig = (
  options: ConfigWatch,
): { readonly reload: () => Promise<void>; readonly close: () => void } => {
  const { file, load, apply, onError, meter, log, alsoWatch = [], signals = process } = options
  const onChange = async (): Promise<void> => {
    try {
      await apply(await load())
      meter.add('postern_reloads_total', 1, 'config', 'ok')
      log.info('config_reloaded', { file })
    } catch (error) {
      meter.add('postern_reloads_total', 1, 'config', 'failed')
      report(error, log, file)
      onError?.(error)
    }
  }
  const watching = watchFiles({
    paths: [...(file === undefined ? [] : [file]), ...alsoWatch],
    onChange,
    ...(options.debounceMs !== undefined && { debounceMs: options.debounceMs }),
    ...(options.pollMs !== undefined && { pollMs: options.pollMs }),
  })
  const onHangup = (): void => void watching.now()
  signals.on('SIGHUP', onHangup)
  return {
    reload: () => watching.now(),
    close: () => {
      signals.off('SIGHUP', onHangup)
      watching.close()
    },
  }
}

const report = (error: unknown, log: Log, file: string | undefined): void => {
  if (!(error instanceof ConfigError)) {
    log.error('config_reload_failed', {
      file,
      kept: true,
      cause: error instanceof Error ? error : new Error(String(error)),
    })
    return
  }
  for (const { path, line, column, message } of error.problems)
    log.error('config_problem', { file, path, line, column, message, kept: true })
}
