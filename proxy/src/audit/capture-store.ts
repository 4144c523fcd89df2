import { constants, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Log } from '../core/log.ts'
import { asError } from './fault.ts'
import { syncFolderOf } from './rotated.ts'

export interface CaptureStoreOptions {
  readonly path: string
  /** The file is rotated when it is larger, in bytes, or older, in milliseconds. */
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** Rotated files kept; those that are older, in milliseconds, are deleted. */
  readonly keepFiles: number
  readonly keepMs: number
  /** Characters that wait for the disk at most. */
  readonly maxQueue: number
  /** A write that takes longer counts as failed, in milliseconds. */
  readonly stallMs: number
}

export interface CaptureStore {
  /** Resolves when durable; rejects when that is not known. */
  add(lines: string): Promise<void>
  close(): Promise<void>
}

interface Waiting {
  readonly lines: string
  readonly done: PromiseWithResolvers<undefined>
}

interface State extends CaptureStoreOptions {
  readonly log: Log
  readonly now: () => number
  handle: FileHandle | undefined
  size: number
  openedAt: number
  waiting: Waiting[]
  queued: number
  running: Promise<void> | undefined
}

const { O_RDWR, O_APPEND, O_CREAT, O_DSYNC } = constants
const TEND_MS = 60_000

/** Appends lines to a file that nobody else needs to own: a line that a crash or another guard left torn is ended first. */
export const captureStore = (
  options: CaptureStoreOptions,
  { log, now }: { readonly log: Log; readonly now: () => number },
): CaptureStore => {
  const state: State = {
    ...options,
    ...{ log, now, handle: undefined, size: 0, openedAt: now(), waiting: [], queued: 0, running: undefined },
  }
  const timer = setInterval(() => wake(state), TEND_MS)
  timer.unref()
  return {
    add: (lines) => add(state, lines),
    close: async () => {
      clearInterval(timer)
      await state.running
      await state.handle?.close()
      state.handle = undefined
    },
  }
}

const add = async (state: State, lines: string): Promise<void> => {
  if (state.queued + lines.length > state.maxQueue) throw new Error('the capture queue is full')
  const done = Promise.withResolvers<undefined>()
  state.waiting.push({ lines, done })
  state.queued += lines.length
  wake(state)
  const stalled = setTimeout(() => done.reject(new Error('the disk does not answer')), state.stallMs)
  try {
    await done.promise
  } finally {
    clearTimeout(stalled)
  }
}

const wake = (state: State): void => {
  state.running ??= pump(state).finally(() => {
    state.running = undefined
    if (state.waiting.length > 0) wake(state)
  })
}

const pump = async (state: State): Promise<void> => {
  do {
    const batch = state.waiting.splice(0)
    try {
      await tend(state)
      if (batch.length > 0) await write(state, batch.map(({ lines }) => lines).join(''))
      for (const { done } of batch) done.resolve(undefined)
    } catch (error) {
      await state.handle?.close().catch(() => undefined)
      state.handle = undefined
      for (const { done } of batch) done.reject(asError(error))
    }
    for (const { lines } of batch) state.queued -= lines.length
  } while (state.waiting.length > 0)
}

const write = async (state: State, lines: string): Promise<void> => {
  state.handle ??= await opened(state)
  const bytes = Buffer.from(lines)
  for (let done = 0; done < bytes.length;)
    done += (await state.handle.write(bytes, done, bytes.length - done)).bytesWritten
  state.size += bytes.length
}

const opened = async (state: State): Promise<FileHandle> => {
  const handle = await open(state.path, O_RDWR | O_APPEND | O_CREAT | O_DSYNC, 0o600)
  try {
    const { size, birthtimeMs } = await handle.stat()
    state.size = size
    state.openedAt = size === 0 ? state.now() : Math.min(birthtimeMs, state.now())
    const last = Buffer.alloc(1)
    if (size > 0) await handle.read(last, 0, 1, size - 1)
    if (size > 0 && last[0] !== 0x0a) await handle.write('\n')
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

const tend = async (state: State): Promise<void> => {
  const { handle, size, maxBytes, path } = state
  if (
    handle !== undefined &&
    size > 0 &&
    (size >= maxBytes || state.now() - state.openedAt >= state.maxAgeMs)
  ) {
    await handle.close()
    state.handle = undefined
    await rename(path, await freeName(state))
    await syncFolderOf(path)
  }
  await retain(state).catch((error: unknown) =>
    state.log.warn('capture_retention_failed', { cause: asError(error) }),
  )
}

/** `<path>.20261121T180000000Z`: when it was rotated. */
const freeName = async ({ path, now }: State): Promise<string> => {
  for (let at = now(); ; at++) {
    const name = `${path}.${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}`
    if (
      await stat(name).then(
        () => false,
        () => true,
      )
    )
      return name
  }
}

const retain = async ({ path, keepFiles, keepMs, now, log }: State): Promise<void> => {
  const start = `${basename(path)}.`
  const names = (await readdir(dirname(path)))
    .filter((name) => name.startsWith(start) && /^\d{8}T\d{9}Z$/.test(name.slice(start.length)))
    .sort()
  const old = names.filter(
    (name, i) => i < names.length - keepFiles || now() - rotatedAt(name.slice(start.length)) > keepMs,
  )
  for (const name of old) await unlink(join(dirname(path), name))
  if (old.length > 0) log.info('capture_files_deleted', { files: old.length })
}

const rotatedAt = (stamp: string): number =>
  Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, '$1-$2-$3T$4:$5:$6.$7Z'))
