import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface StoredBundle {
  readonly bytes: Uint8Array
  /** When it was written, in milliseconds since the epoch. */
  readonly writtenAt: number
}

/** The bundle that an earlier run kept; undefined when there is none. Throws Error for one that cannot be read or is too large. */
export const keptBundle = async (file: string, maxBytes: number): Promise<StoredBundle | undefined> => {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (handle === undefined) return undefined
  try {
    const { size, mtimeMs } = await handle.stat()
    if (size > maxBytes) throw new Error(`is larger than ${maxBytes} bytes`)
    return { bytes: await handle.readFile(), writtenAt: mtimeMs }
  } finally {
    await handle.close()
  }
}

/**
 * Puts a bundle in the place of the last one, in one step, after `check` found it usable under another name.
 * When anything fails, the last one stays as it is.
 */
export const keepBundle = async (
  file: string,
  bytes: Uint8Array,
  check: (file: string) => Promise<void>,
): Promise<void> => {
  const folder = dirname(file)
  const draft = join(folder, `.${basename(file)}.new`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    await writeDurably(draft, bytes)
    await check(draft)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncFolder(folder)
}

/** A file that must not be used, nor found by whoever reads the same path. */
export const dropBundle = (file: string): Promise<void> => rm(file, { force: true })

const writeDurably = async (path: string, bytes: Uint8Array): Promise<void> => {
  // Whatever a crash or somebody else left under this name is not written through.
  await rm(path, { force: true })
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
