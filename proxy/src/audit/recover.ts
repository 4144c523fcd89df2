import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, stat, truncate, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { START, type Link } from './chain.ts'
import { AuditFault, codeOf } from './fault.ts'
import { readHead, type HeadMarks } from './head.ts'
import type { Verifier } from './keys.ts'
import { rotatedFiles } from './rotated.ts'
import { walkFile, type Walk } from './walk.ts'

/** What is there when a guard starts. */
export interface Found {
  /** Where the chain goes on. */
  readonly link: Link
  /** Undefined: in the file that is there. Else a new file is started, and this says why. */
  readonly origin: 'first' | 'rotated' | 'missing' | undefined
  readonly size: number
  readonly firstSeq: number
  /** Milliseconds since the epoch. */
  readonly openedAt: number | undefined
  readonly unfinished: ReadonlyMap<string, number>
  /** Bytes of a write that was cut short, now in `<log>.torn-<n>`. */
  readonly torn: number
  /** Lines after the last one that the head knows: written and not yet promised when the last guard stopped. */
  readonly unpromised: number
  /** The last guard closed the log itself. */
  readonly clean: boolean
}

const NEW = { size: 0, firstSeq: 0, openedAt: undefined, torn: 0, unpromised: 0 }

/**
 * Reads the log to its end and cuts off what a crash left half written, which no one was promised.
 * Throws AuditFault when lines that were promised are missing or changed: such a log is evidence, and is left as it is.
 */
export const recover = async (path: string, verifier: Verifier): Promise<Found> => {
  const head = await readHead(`${path}.head`, verifier)
  const size = await sizeOf(path)
  if (size === 0) return head === undefined ? first() : afterLast(path, head, verifier)
  if (head === undefined)
    throw damaged(path, `its head file ${path}.head is missing, so its end cannot be proven`)
  const walk = await walkFile(path, { verifier, marks: [head.latest, head.signed] })
  requireHead(walk, head)
  const torn = walk.size - walk.good
  if (torn > 0) await setAside(path, walk.good)
  if (walk.lines === 0) return { ...(await afterLast(path, head, verifier)), torn, clean: false }
  return {
    link: walk.last,
    origin: undefined,
    size: walk.good,
    firstSeq: walk.first?.seq ?? 1,
    openedAt: Date.parse(walk.first?.written ?? ''),
    unfinished: walk.unfinished,
    torn,
    unpromised: walk.last.seq - head.latest.seq,
    clean: walk.sealed && torn === 0,
  }
}

const first = (): Found => ({ ...NEW, link: START, origin: 'first', unfinished: new Map(), clean: true })

/** There is a head and no log: the guard stopped while it rotated, or somebody took the log away. */
const afterLast = async (path: string, head: HeadMarks, verifier: Verifier): Promise<Found> => {
  if (head.latest.seq === 0) return first()
  const last = (await rotatedFiles(path)).at(-1)
  const walk = last && (await walkFile(last, { verifier, marks: [head.latest, head.signed] }))
  if (walk && walk.problem === undefined && walk.last.seq >= head.latest.seq)
    return { ...NEW, link: walk.last, origin: 'rotated', unfinished: walk.unfinished, clean: walk.sealed }
  return { ...NEW, link: head.latest, origin: 'missing', unfinished: new Map(), clean: false }
}

const requireHead = (walk: Walk, { latest }: HeadMarks): void => {
  const holds =
    walk.lines === 0 ? latest.seq === 0 || walk.problem === undefined : walk.last.seq >= latest.seq
  if (!holds || walk.problem?.code === 'signature_wrong' || walk.problem?.code === 'key_unknown')
    throw damaged(
      walk.file,
      walk.problem === undefined
        ? `it ends at line number ${walk.last.seq} but had ${latest.seq}`
        : `line ${walk.problem.line}: ${walk.problem.message}`,
    )
}

const damaged = (path: string, why: string) =>
  new AuditFault(
    `The audit log ${path} is damaged: ${why} Keep it as evidence: move it and its .head file away, then start the guard again.`,
  )

/** Moves the bytes from `from` on into the next free `<log>.torn-<n>`. */
const setAside = async (path: string, from: number): Promise<void> => {
  const names = new Set(await readdir(dirname(path)))
  let n = 1
  while (names.has(`${basename(path)}.torn-${n}`)) n++
  const side = `${path}.torn-${n}`
  try {
    await pipeline(
      createReadStream(path, { start: from }),
      createWriteStream(side, { flags: 'wx', mode: 0o600, flush: true }),
    )
  } catch (error) {
    await unlink(side).catch(() => undefined) // on a full disk every attempt would leave one more
    throw error
  }
  await truncate(path, from)
}

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0
    throw error
  }
}
