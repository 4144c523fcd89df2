import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { readBounded } from '../../../../proxy/src/core/read-bounded.ts'

/** A list that others publish and that we name, pinned by its content. */
export interface PublicList {
  readonly title: string
  /** Its name on disk; the ending says how it is read. */
  readonly file: string
  readonly url: string
  /** SPDX. */
  readonly licence: string
  readonly sha256: string
}

export interface ListText {
  /** For the store: the pinned name, or the file's name. */
  readonly name: string
  /** With the ending that says how it is read. */
  readonly file: string
  readonly text: string
}

export interface Wanted {
  /** A name of the catalogue, or a path. */
  readonly list: string
  /** Where downloaded lists are kept. */
  readonly folder: string
  /** Get a missing one from its address. */
  readonly download: boolean
  readonly catalogue?: Readonly<Record<string, PublicList>>
}

const MOST_BYTES = 16 << 20
const CATALOGUE = resolve(import.meta.dirname, '../../../third-party/lists.yaml')

/** Throws Error when the file has no list of complete rows. */
export const readCatalogue = (file = CATALOGUE): Readonly<Record<string, PublicList>> => {
  const rows = parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Partial<PublicList>>>
  for (const [name, row] of Object.entries(rows)) {
    const whole =
      row.title && row.licence && row.file === basename(row.file ?? '') && URL.canParse(row.url ?? '')
    if (!whole || !/^[0-9a-f]{64}$/.test(row.sha256 ?? ''))
      throw new Error(`${file}: ${name} is not complete`)
  }
  return rows as Readonly<Record<string, PublicList>>
}

/**
 * The text of a list. A named one is only given when its SHA-256 is the pinned one. Throws Error that says how to get it when it is not
 * there, and what differs when it is another file. 16 MiB at most.
 */
export const openList = async ({ list, folder, download, ...more }: Wanted): Promise<ListText> => {
  const catalogue = more.catalogue ?? readCatalogue()
  const row = Object.hasOwn(catalogue, list) ? catalogue[list] : undefined
  if (row === undefined) {
    if (existsSync(list))
      return { name: basename(list), file: basename(list), text: bounded(list).toString('utf8') }
    throw new Error(
      `${list} is neither a file nor a list known by name: ${Object.keys(catalogue).join(', ')}`,
    )
  }
  const path = join(folder, row.file)
  if (!existsSync(path)) {
    if (!download) throw new Error(howToGet(list, row, path))
    await fetchTo(path, list, row)
  }
  const bytes = bounded(path)
  const is = digest(bytes)
  if (is !== row.sha256)
    throw new Error(
      `${path} is not the pinned ${list}: its SHA-256 is ${is}, not ${row.sha256}. Remove it and get it again`,
    )
  return { name: list, file: row.file, text: bytes.toString('utf8') }
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const bounded = (path: string): Buffer => {
  if (statSync(path).size > MOST_BYTES) throw new Error(`${path} is larger than 16 MiB; send it in parts`)
  return readFileSync(path)
}

const howToGet = (name: string, { title, url, licence, sha256 }: PublicList, path: string): string =>
  `${name} (${title}; licence ${licence}) is not at ${path}. Say --download, or get it where there is a network and put it there:
  mkdir -p ${dirname(path)} && curl -fsSLo ${path} ${url}
  echo "${sha256}  ${path}" | sha256sum -c`

/** Written only when the content is the pinned one. */
const fetchTo = async (path: string, name: string, row: PublicList): Promise<void> => {
  const response = await fetch(row.url, { signal: AbortSignal.timeout(60_000) }).catch((cause: unknown) => {
    throw new Error(`${new URL(row.url).host} cannot be reached. ${howToGet(name, row, path)}`, { cause })
  })
  if (!response.ok) {
    await response.body?.cancel()
    throw new Error(`${new URL(row.url).host} answers ${response.status}. ${howToGet(name, row, path)}`)
  }
  const bytes = await readBounded(response.body ?? [], MOST_BYTES)
  if (bytes === undefined) throw new Error('the list is larger than 16 MiB, so it is not the pinned one')
  if (digest(bytes) !== row.sha256)
    throw new Error(
      `what ${new URL(row.url).host} sent is not the pinned ${name}: its SHA-256 is ${digest(bytes)}, not ${row.sha256}`,
    )
  mkdirSync(dirname(path), { recursive: true })
  const part = `${path}.${process.pid}.part`
  writeFileSync(part, bytes)
  renameSync(part, path)
}
