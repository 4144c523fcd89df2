import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { headerOf } from './chain.ts'
import { codeOf } from './fault.ts'
import { linesOf } from './lines.ts'
import { rotatedFiles } from './rotated.ts'

/** The files of one log. */
export interface Series {
  /** In the order of their first lines. */
  readonly files: readonly string[]
  /** The name that head and key go by. */
  readonly base: string
}

const SIDE_FILE = /\.(?:head|key|pub|lock|new|torn-\d+)$/

/** `path` is a log, whose rotated files belong to it, a rotated file, or a folder that holds one log. Throws an Error when it cannot read. */
export const seriesOf = async (path: string): Promise<Series> => {
  const is = await statIfThere(path)
  const isFolder = is?.isDirectory() === true
  const folder = isFolder ? path : dirname(path)
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((one) => one.isFile())
    .map(({ name }) => name)
  const name = isFolder ? logIn(names) : basename(path)
  const base = join(folder, name)
  const rotated = await rotatedFiles(base)
  // A guard that rotates is between two files for a moment, and stays there when it is killed in it.
  const between = rotated.length > 0 && ((await statIfThere(base))?.size ?? 0) === 0
  const others = names.filter(
    (one) => one !== name && !SIDE_FILE.test(one) && (isFolder || one.startsWith(`${name}.`)),
  )
  const files = await inOrder(
    between ? rotated : [base, ...rotated],
    others.map((one) => join(folder, one)),
  )
  return { files, base }
}

const statIfThere = (path: string) =>
  stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })

const logIn = (names: readonly string[]): string => {
  const heads = names.filter((name) => name.endsWith('.head'))
  if (heads.length !== 1)
    throw new Error(
      `The folder holds ${heads.length} audit logs (by their .head files); name the log instead.`,
    )
  return (heads[0] ?? '').slice(0, -'.head'.length)
}

/**
 * All of `files`, and those of `others` that hold lines which no other file starts with: a file that was moved by hand is
 * one of the series, a copy of one is not.
 */
const inOrder = async (files: readonly string[], others: readonly string[]): Promise<readonly string[]> => {
  const bySeq = await Promise.all(files.map(async (file) => ({ file, seq: await firstSeqOf(file) })))
  for (const file of others) {
    if (files.includes(file)) continue
    const seq = await firstSeqOf(file)
    if (seq > 0 && bySeq.every((known) => known.seq !== seq)) bySeq.push({ file, seq })
  }
  return bySeq.sort((a, b) => a.seq - b.seq).map(({ file }) => file)
}

/** 0 when the file does not start with a line of a guard: it sorts first, and is then found wrong. */
const firstSeqOf = async (file: string): Promise<number> => {
  for await (const [line] of linesOf(file)) return (line && headerOf(line.bytes))?.seq ?? 0
  return 0
}

/**
 * The public keys beside the log, PEM; undefined when there are none. Those of a moved or rotated file lie beside the log it came
 * from: `audit.log.1` has `audit.log.pub`.
 */
export const publicKeysOf = async (base: string): Promise<string | undefined> => {
  const name = basename(base)
  for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
    const file = join(dirname(base), `${name.slice(0, end)}.pub`)
    const pem = await readFile(file, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (pem !== undefined) return pem
  }
  return undefined
}
