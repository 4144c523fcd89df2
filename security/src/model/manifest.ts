import { createHash, hash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { join, posix } from 'node:path'

/** What an OpenSSF Model Signing 1.0 statement says of the files of a model. */
export interface Manifest {
  readonly name: string
  /** Sorted by name, `/` between folders. */
  readonly resources: readonly Resource[]
  /** Relative to the model; what lies there is not signed. */
  readonly ignored: readonly string[]
}

export interface Resource {
  readonly name: string
  /** SHA-256 in hex. */
  readonly digest: string
}

/** Files of version control are no part of a model, as for `model_signing sign`. */
export const GIT_FILES: readonly string[] = ['.git', '.gitattributes', '.github', '.gitignore']

/** The name of a model that is one file, such as a GGUF, in its statement. */
export const WHOLE = '.'

const MAX_ENTRIES = 100_000
const PIECE = 1 << 20 // Bytes. Half the time of the default's 64 KiB.
const MAX_DEPTH = 64
const MAX_NAME = 100

/**
 * Hashes every regular file of the folder, or the one file that the model is. Throws an Error for symbolic links and special files, which could change what is
 * loaded after it was signed, for names that are no UTF-8, and beyond 100,000 files and folders.
 */
export const manifestOf = async (
  folder: string,
  { name, ignored }: Pick<Manifest, 'name' | 'ignored'>,
): Promise<Manifest> => {
  const skip = new Set(ignored)
  const files: string[] = []
  let entries = 0
  const walk = async (at: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) throw new Error(`${folder}: folders are nested deeper than ${MAX_DEPTH}`)
    for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
      const path = posix.join(at, entry.name)
      if (skip.has(path)) continue
      // Bytes that are no UTF-8 all read as this sign, so that two names could be one here and two for who loads the files.
      if (entry.name.includes('\ufffd')) throw new Error(`${shown(path)}: its name is no UTF-8`)
      if (++entries > MAX_ENTRIES)
        throw new Error(`${folder}: has more than ${MAX_ENTRIES} files and folders`)
      if (entry.isDirectory()) await walk(path, depth + 1)
      else if (entry.isFile()) files.push(path)
      else
        throw new Error(
          `${shown(path)}: is no regular file; a model that is signed has only files and folders`,
        )
    }
  }
  const stat = await lstat(folder)
  if (stat.isFile()) return { name, resources: [{ name: WHOLE, digest: await digestOf(folder) }], ignored }
  if (!stat.isDirectory()) throw new Error(`${folder}: is no folder and no regular file`)
  await walk('', 0)
  if (files.length === 0) throw new Error(`${folder}: has no files`)
  const resources: Resource[] = []
  for (const file of files.sort(byBytes))
    resources.push({ name: file, digest: await digestOf(join(folder, file)) })
  return { name, resources, ignored }
}

/** One digest for the model: SHA-256 over the raw digests of its files, in their order. */
export const modelDigest = (resources: readonly Resource[]): string =>
  hash('sha256', Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))))

/** A file's name for a message: whoever changed the files chose their names too. */
export const shown = (name: string): string => name.slice(0, MAX_NAME).replace(/\p{C}/gu, '?')

// Other implementations sort by code point, not by UTF-16 unit.
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/**
 * In pieces through one buffer, so that a file may be larger than memory and the garbage collector has nothing to be late with. A link
 * that took the place of a file since it was listed is not followed.
 */
const digestOf = async (file: string): Promise<string> => {
  const sum = createHash('sha256')
  const piece = Buffer.allocUnsafe(PIECE)
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, PIECE)
      if (bytesRead === 0) return sum.digest('hex')
      sum.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}
