import { randomBytes } from 'node:crypto'
import { chmod, lstat, mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Material } from './material.ts'

const FILES = { certificate: 'tls.crt', key: 'tls.key', ca: 'ca.crt' } as const satisfies Record<
  keyof Material,
  string
>

const CURRENT = '..data'
const DRAFT = '..data_tmp'

/**
 * Writes `tls.crt`, `tls.key` and `ca.crt` as one set, as Kubernetes writes a volume: a new folder, then `..data` is swapped
 * to it in one step. Whoever reads through `..data` has files of one version. Only the owner may read them.
 * The set before the last stays for a moment longer, for readers that are about to open it.
 */
export const writeVolume = async (directory: string, material: Material): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const version = `..${new Date().toISOString().replace(/[^0-9]/g, '_')}${randomBytes(4).toString('hex')}`
  const folder = join(directory, version)
  await mkdir(folder, { mode: 0o700 })
  try {
    for (const part of parts) await writeDurably(join(folder, FILES[part]), material[part])
    await rm(join(directory, DRAFT), { recursive: true, force: true })
    await symlink(version, join(directory, DRAFT))
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  const before = await readlink(join(directory, CURRENT)).catch(() => undefined)
  await rename(join(directory, DRAFT), join(directory, CURRENT))
  for (const part of parts) await pointTo(directory, FILES[part])
  await sync(directory)
  await removeOld(directory, [version, before])
}

/** The set that an earlier run wrote; undefined when there is none. */
export const readVolume = async (directory: string): Promise<Material | undefined> => {
  const version = await readlink(join(directory, CURRENT)).catch(() => undefined)
  if (version === undefined) return undefined
  const read = (part: keyof Material): Promise<string> =>
    readFile(join(directory, version, FILES[part]), 'utf8')
  return { certificate: await read('certificate'), key: await read('key'), ca: await read('ca') }
}

const parts = Object.keys(FILES) as readonly (keyof Material)[]

const pointTo = async (directory: string, name: string): Promise<void> => {
  const path = join(directory, name)
  const target = join(CURRENT, name)
  const known = await readlink(path).catch(() => undefined)
  if (known === target) return
  const draft = join(directory, `${DRAFT}_${name}`)
  await rm(draft, { recursive: true, force: true })
  await symlink(target, draft)
  if ((await lstat(path).catch(() => undefined))?.isDirectory() === true) await rm(path, { recursive: true })
  await rename(draft, path)
}

const writeDurably = async (path: string, text: string): Promise<void> => {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const sync = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const removeOld = async (directory: string, kept: readonly (string | undefined)[]): Promise<void> => {
  for (const name of await readdir(directory))
    if (/^\.\.\d/.test(name) && !kept.includes(name))
      await rm(join(directory, name), { recursive: true, force: true })
}
