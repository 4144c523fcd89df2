import { open, readdir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

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

export const deleteOldest = async (path: string, keep: number): Promise<void> => {
  const files = await rotatedFiles(path)
  for (const file of files.slice(0, Math.max(0, files.length - keep))) await unlink(file)
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
