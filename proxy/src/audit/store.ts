import { write } from 'node:fs'
import { constants, open, rename, stat, type FileHandle } from 'node:fs/promises'
import type { Log } from '../core/log.ts'
import { chained, hashOf, type Entry, type Link } from './chain.ts'
import { carryEntry, lostEntry, noteEntry } from './entries.ts'
import { asError, AuditFault, codeOf } from './fault.ts'
import { openHead, type Head } from './head.ts'
import { loadKeys } from './key-files.ts'
import type { Signer } from './keys.ts'
import { acquireLock, type Lock } from './lock.ts'
import { recover } from './recover.ts'
import { deleteAll, expiredFiles, rotatedName, syncFolderOf } from './rotated.ts'

export interface StoreOptions {
  readonly path: string
  readonly signingKey: string | undefined
  readonly maxBytes: number
  readonly maxAgeMs: number
  readonly keepFiles: number
  readonly keepMs: number
  readonly checkpointLines: number
  readonly checkpointMs: number
  readonly log: Log
  readonly now: () => number
}

/** The open log. `size` and `link` are where its last durable line ends. */
export interface FileStore extends StoreOptions {
  readonly signer: Signer
  readonly lock: Lock
  readonly head: Head
  /** Undefined after a failed write or rotation, until it is repaired. */
  handle: FileHandle | undefined
  inode: number
  size: number
  link: Link
  firstSeq: number
  openedAt: number
  checkedLines: number
  checkedAt: number
  rotateAfter: number
  retainedAt: number
  /** The first line of a new file is not durable yet. */
  starting: Origin | undefined
  readonly begun: Map<string, number>
}

type Origin = 'first' | 'rotated' | 'moved' | 'missing'

const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_DSYNC } = constants
// O_DSYNC: the write returns when the data is durable. One call instead of write and fdatasync, with the same guarantee.
const APPEND = O_RDWR | O_APPEND | O_DSYNC
const ROTATE_AGAIN_MS = 60_000
const RETAIN_EVERY_MS = 600_000
const MAX_LINES = 512 // lines written at once while starting

export const openStore = async (options: StoreOptions): Promise<FileStore> => {
  const lock = await lockOf(options.path)
  try {
    const { signer, verifier } = await loadKeys(options.path, options.signingKey)
    const found = await recover(options.path, verifier)
    const head = await openHead(`${options.path}.head`, signer, found.link)
    const file: FileStore = {
      ...options,
      ...{ signer, lock, head, handle: undefined, inode: 0, size: found.size, link: found.link },
      ...{ firstSeq: found.firstSeq, openedAt: found.openedAt ?? options.now(), checkedLines: 0 },
      ...{
        checkedAt: options.now(),
        rotateAfter: 0,
        retainedAt: 0,
        starting: undefined,
        begun: new Map(found.unfinished),
      },
    }
    try {
      if (found.origin === undefined) await reopen(file)
      else await startFile(file, found.origin)
      await noteRecovery(file, found)
    } catch (error) {
      await file.handle?.close()
      await head.close()
      throw error
    }
    return file
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** A device or a pipe cannot be read back; no lock is put beside one. */
const lockOf = async (path: string): Promise<Lock> => {
  const is = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (is?.isFile() === false)
    throw new Error('the audit log must be a regular file; for a pipe use the stdout sink')
  return acquireLock(`${path}.lock`)
}

interface Recovery {
  readonly unfinished: ReadonlyMap<string, number>
  readonly torn: number
  readonly unpromised: number
  readonly clean: boolean
}

const noteRecovery = async (
  file: FileStore,
  { unfinished, torn, unpromised, clean }: Recovery,
): Promise<void> => {
  if (clean && unfinished.size === 0) return
  const lost = [...unfinished].map(([id, begun]) => lostEntry(id, begun))
  const what = { torn_bytes: torn, unpromised, lost: lost.length }
  const lines = [noteEntry('recovered', what), ...lost]
  for (let i = 0; i < lines.length; i += MAX_LINES) await append(file, lines.slice(i, i + MAX_LINES))
  file.log[torn + unpromised + lost.length > 0 ? 'warn' : 'info']('audit_recovered', what)
}

/** Writes the lines, with a checkpoint when one is due, and returns when they and the head are written. */
export const commitTo = async (file: FileStore, entries: readonly Entry[]): Promise<void> => {
  if (isFull(file)) await rotate(file)
  const lines = file.checkedLines + entries.length
  await append(file, lines < file.checkpointLines ? entries : [...entries, checkpoint()])
}

const checkpoint = () => noteEntry('checkpoint', {})

const append = async (file: FileStore, entries: readonly Entry[]): Promise<void> => {
  const { handle, signer } = file
  if (handle === undefined) throw new Error('the audit log is not open')
  const { text, link } = chained(file.link, entries, { written: new Date(file.now()).toISOString(), signer })
  const bytes = Buffer.from(text)
  await writeAll(handle.fd, bytes)
  file.head.update(link)
  entries.forEach(({ type, id }, i) => {
    if (id === undefined) return
    if (type === 'begin') file.begun.set(id, file.link.seq + 1 + i)
    else if (type === 'exchange' || type === 'lost') file.begun.delete(id)
  })
  file.size += bytes.length
  file.link = link
  file.checkedLines += entries.length
  if (entries.at(-1)?.type === 'checkpoint') {
    file.checkedLines = 0
    file.checkedAt = file.now()
  }
}

const writeAll = async (fd: number, bytes: Buffer): Promise<void> => {
  for (let done = 0; done < bytes.length;) {
    const rest = done === 0 ? bytes : bytes.subarray(done)
    done += await new Promise<number>((resolve, reject) => {
      write(fd, rest, 0, rest.length, null, (error, written) => {
        if (error === null) resolve(written)
        else reject(error)
      })
    })
  }
}

const isFull = (file: FileStore): boolean =>
  file.link.seq > file.firstSeq &&
  file.now() >= file.rotateAfter &&
  (file.size >= file.maxBytes || file.now() - file.openedAt >= file.maxAgeMs)

/** The file gets its new name before its last line, so that a failed rename leaves a file that can go on. */
const rotate = async (file: FileStore): Promise<void> => {
  const last = file.link.seq + 1
  try {
    await rename(file.path, rotatedName(file.path, file.firstSeq, last))
  } catch (error) {
    file.rotateAfter = file.now() + ROTATE_AGAIN_MS
    file.log.error('audit_rotation_failed', { cause: asError(error) })
    return
  }
  await leave(file)
  await startFile(file, 'rotated')
  await retain(file)
}

/** Deletes what is too old or too much. Said in the chain first: a crash in between must not look like somebody's deletion. */
const retain = async (file: FileStore): Promise<void> => {
  const { path, keepFiles, keepMs } = file
  const failed = (error: unknown): void => file.log.warn('audit_retention_failed', { cause: asError(error) })
  file.retainedAt = file.now()
  const expired = await expiredFiles(path, { keepFiles, keepMs, now: file.now() }).catch(failed)
  if (!expired) return
  const { files, firstSeq, lastSeq, because } = expired
  const what = { first_seq: firstSeq, last_seq: lastSeq, files: files.length, because }
  await append(file, [noteEntry('retention', what)])
  await deleteAll(files).catch(failed)
}

/** Says in the old file that it ends. */
const leave = async (file: FileStore): Promise<void> => {
  await append(file, [noteEntry('rotate', {})])
  await file.handle?.close()
  file.handle = undefined
}

const startFile = async (file: FileStore, origin: Origin): Promise<void> => {
  // An empty file may be there: made by logrotate, or left by a crash before its first line was written.
  file.handle = await open(file.path, APPEND | O_CREAT | O_EXCL, 0o600).catch(async (error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error
    return open(file.path, APPEND)
  })
  const is = await file.handle.stat()
  const ours = file.starting !== undefined && is.ino === file.inode
  if (!is.isFile() || (is.size > 0 && !ours))
    throw new AuditFault(`Another file appeared at ${file.path}. Move it away, then start the guard again.`)
  await file.handle.truncate(0)
  const previous = file.link
  Object.assign(file, { inode: is.ino, size: 0, firstSeq: previous.seq + 1, openedAt: file.now() })
  file.starting = origin
  const carried = [...file.begun].map(([id, begun]) => carryEntry(id, begun))
  await append(file, [noteEntry('open', { origin, previous_seq: previous.seq }), ...carried])
  file.starting = undefined
  await syncFolderOf(file.path)
}

/** Opens the file again and makes sure that it ends where it should: what a failed write left behind is cut off. */
const reopen = async (file: FileStore): Promise<void> => {
  const handle = await open(file.path, APPEND)
  try {
    const is = await handle.stat()
    if (!is.isFile() || is.size < file.size) throw shrunk(file)
    if (is.size > file.size) {
      await handle.truncate(file.size)
      await handle.sync()
    }
    await checkTail(file, handle)
    file.inode = is.ino
    file.handle = handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

const shrunk = (file: FileStore) =>
  new AuditFault(
    `The audit log ${file.path} lost lines that were durable. Keep it as evidence: move it and its .head file away, then start the guard again.`,
  )

const TAIL = 1 << 20

/** After a failed fsync the page cache is no witness, so the last line is read back and compared. */
const checkTail = async (file: FileStore, handle: FileHandle): Promise<void> => {
  const length = Math.min(TAIL, file.size)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, file.size - length)
  const tail = buffer.subarray(0, Math.max(0, bytesRead - 1))
  if (hashOf(tail.subarray(tail.lastIndexOf(0x0a) + 1)) !== file.link.hash) throw shrunk(file)
}

export const repairStore = async (file: FileStore, missing: number): Promise<void> => {
  const there = await inodeOf(file.path)
  // Also when it was renamed meanwhile: what was not promised must not stay in it.
  await file.handle?.truncate(file.size).catch(() => undefined)
  await file.handle?.close().catch(() => undefined)
  file.handle = undefined
  if (file.starting !== undefined) await startFile(file, file.starting)
  else if (there === file.inode) await reopen(file)
  else await startFile(file, 'moved')
  await append(file, [noteEntry('recovered', { unwritten: missing })])
}

const inodeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).ino
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Looks after what others may have done to the file, and writes what is due although nothing happens. */
export const tendStore = async (file: FileStore): Promise<void> => {
  await file.lock.beat()
  const is = await stat(file.path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (is?.ino !== file.inode) {
    file.log.info('audit_reopened')
    await leave(file)
    await startFile(file, 'moved')
  } else if (is.size < file.size) throw shrunk(file)
  else if (is.size > file.size)
    throw new AuditFault(`Something else writes to the audit log ${file.path}. Give each guard its own log.`)
  if (isFull(file)) await rotate(file)
  if (file.now() - file.retainedAt >= RETAIN_EVERY_MS) await retain(file)
  if (file.checkedLines > 0 && file.now() - file.checkedAt >= file.checkpointMs)
    await append(file, [checkpoint()])
  file.head.settle()
}

export const closeStore = async (file: FileStore, seal: boolean): Promise<void> => {
  try {
    if (seal) {
      await append(file, [noteEntry('close', {})])
      file.head.settle()
    }
    await file.handle?.close()
    await file.head.close()
  } finally {
    file.handle = undefined
    await file.lock.release()
  }
}
