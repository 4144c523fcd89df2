import { open, readdir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { headerOf } from './chain.ts'

const DIGITS = 12

/** `<log>.<first>-<last>`, the numbers of the first and last line, padded so that names sort. */
export const rotatedName = (path: string, first: number, last: number): string =>
  `${path}.${pad(first)}-${pad(last)}`

const pad = (seq: number) => String(seq).padStart(DIGITS, '0')

/** The rotated files of a log, oldest first. */
export const rotatedFiles = async (path: string): Promise<readonly string[]> => {
  const start = `${basename(path)}.`
  const names = await readdir(dirname(path))
  return names
    .filter((name) => name.startsWith(start) && /^\d{12,16}-\d{12,16}$/.test(name.slice(start.length)))
    .sort((a, b) => firstOf(a, start) - firstOf(b, start))
    .map((name) => join(dirname(path), name))
}

const firstOf = (name: string, start: string) => Number(name.slice(start.length).split('-')[0])

export interface Retention {
  /** Rotated files kept. */
  readonly keepFiles: number
  /** A file whose last line is older is not kept, in milliseconds. */
  readonly keepMs: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Rotated files to delete, oldest first: always the beginning of the series, so that what stays has no gap. */
export interface Expired {
  readonly files: readonly string[]
  readonly firstSeq: number
  readonly lastSeq: number
  readonly because: 'age' | 'count'
}

/** Undefined when all are to be kept. */
export const expiredFiles = async (path: string, rule: Retention): Promise<Expired | undefined> => {
  const all = await rotatedFiles(path)
  const byCount = Math.max(0, all.length - rule.keepFiles)
  let old = byCount
  if (rule.keepMs !== Infinity) {
    for (const file of all.slice(byCount)) {
      if (rule.now - (await endOf(file)) < rule.keepMs) break
      old++
    }
  }
  const files = all.slice(0, old)
  const [, first] = SPAN.exec(files[0] ?? '') ?? []
  const [, , last] = SPAN.exec(files.at(-1) ?? '') ?? []
  if (first === undefined || last === undefined) return undefined
  const because = old > byCount ? 'age' : 'count'
  return { files, firstSeq: Number(first), lastSeq: Number(last), because }
}

export const deleteAll = async (files: readonly string[]): Promise<void> => {
  for (const file of files) await unlink(file)
}

const SPAN = /\.(\d{12,16})-(\d{12,16})$/
const TAIL = 4096 // bytes; the last line of a rotated file is a short one

/** When the last line was written; now for a file that does not end in one, which is then kept. */
const endOf = async (file: string): Promise<number> => {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const length = Math.min(size, TAIL)
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length)
    const lines = buffer.subarray(0, Math.max(0, length - 1))
    const header = headerOf(lines.subarray(lines.lastIndexOf(0x0a) + 1))
    return header === undefined ? Infinity : Date.parse(header.written)
  } finally {
    await handle.close()
  }
}

/** Makes new names in the folder durable. */
export const syncFolderOf = async (path: string): Promise<void> => {
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
