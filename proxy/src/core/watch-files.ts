import { statSync, watch, type BigIntStats, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface WatchOptions {
  readonly paths: readonly string[]
  /** Called after a change, one call at a time. What it throws is its own affair: catch there. */
  readonly onChange: () => Promise<void> | void
  /** Milliseconds of quiet before `onChange`; a file is seldom written in one step. */
  readonly debounceMs?: number
  /** Milliseconds between looks that do not trust the kernel's events: network and overlay mounts send none. */
  readonly pollMs?: number
}

export interface FileWatch {
  /** Calls `onChange` now, whether or not anything changed, and resolves after it. */
  now(): Promise<void>
  close(): void
}

/**
 * Watches files through symbolic links, also when a directory above them is swapped, as Kubernetes swaps `..data`.
 * Never keeps the process alive.
 */
export const watchFiles = (options: WatchOptions): FileWatch => {
  const { paths, onChange, debounceMs = 100, pollMs = 10_000 } = options
  // At once, or a change that comes before the file system answers would be taken for what was there.
  let seen = Promise.resolve(paths.map(markNow).join('\n'))
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const look = async (force: boolean): Promise<void> => {
    const before = await seen
    seen = fingerprint(paths)
    if (force || (await seen) !== before) await onChange()
  }
  // A change handler that throws must not end the watch, and its error has nowhere better to go than its own log.
  const queue = (force: boolean): Promise<void> =>
    (running = running.then(() => look(force)).catch(() => undefined))
  const soon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void queue(false), debounceMs)
    timer.unref()
  }
  const watchers = directories(paths).flatMap((directory) => watchDirectory(directory, soon))
  const poll = setInterval(() => void queue(false), pollMs)
  poll.unref()

  return {
    now: () => queue(true),
    close: () => {
      clearTimeout(timer)
      clearInterval(poll)
      for (const watcher of watchers) watcher.close()
    },
  }
}

const directories = (paths: readonly string[]): readonly string[] => [...new Set(paths.map(dirname))]

/** Without a watcher (missing directory, no inotify left) the poll still sees the change. */
const watchDirectory = (directory: string, soon: () => void): FSWatcher[] => {
  try {
    const watcher = watch(directory, { persistent: false }, soon)
    watcher.on('error', () => watcher.close())
    return [watcher]
  } catch {
    return []
  }
}

const fingerprint = async (paths: readonly string[]): Promise<string> =>
  (await Promise.all(paths.map(mark))).join('\n')

const mark = async (path: string): Promise<string> => stat(path, { bigint: true }).then(told, () => MISSING)

const markNow = (path: string): string => {
  try {
    return told(statSync(path, { bigint: true }))
  } catch {
    return MISSING
  }
}

const MISSING = 'missing'
const told = (found: BigIntStats): string =>
  `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`
