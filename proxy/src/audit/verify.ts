import { START, type Link } from './chain.ts'
import { AuditFault, codeOf } from './fault.ts'
import { readHead, type HeadMarks } from './head.ts'
import { verifierFrom, type Verifier } from './keys.ts'
import { publicKeysOf, seriesOf } from './series.ts'
import { walkFile, type Problem, type ProblemCode, type Walk } from './walk.ts'

export interface VerifyOptions {
  /** One or more Ed25519 public keys, PEM. Without it the `.pub` file beside the log is trusted, which whoever can write the log could have replaced. */
  readonly publicKey?: string
}

export interface AuditReport {
  readonly ok: boolean
  /** The first thing that is wrong. */
  readonly problem: Problem | undefined
  readonly files: readonly string[]
  readonly lines: number
  readonly firstSeq: number
  readonly lastSeq: number
  /** Up to this line a signature vouches for the log; the few after it are chained only. */
  readonly signedSeq: number
  readonly begun: number
  readonly exchanges: number
  /** Exchanges that began and whose end was never written, as a later guard found. */
  readonly lost: number
  /** The same, at the end of the log: still running, or killed just now. */
  readonly unfinished: number
  readonly checkpoints: number
  /** What is worth knowing and not wrong. */
  readonly notes: readonly string[]
}

/**
 * Checks that no line was changed, dropped, doubled, moved, put in or cut off. `path` is a log, whose rotated files are checked with it, a rotated
 * file, or a folder that holds one log. Streams: memory does not grow with the log. Throws an Error when it cannot read, or `publicKey` is not one.
 */
export const verifyAudit = async (path: string, options: VerifyOptions = {}): Promise<AuditReport> => {
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
    const report = await tried(path, options)
    if (report !== undefined) return report
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
  const { files, base } = await seriesOf(path)
  return verifyFiles(files, base, options)
}

/** Undefined when the files were renamed while they were read. */
const tried = async (path: string, options: VerifyOptions): Promise<AuditReport | undefined> => {
  try {
    const { files, base } = await seriesOf(path)
    const report = await verifyFiles(files, base, options)
    return report.ok || sameList(files, (await seriesOf(path)).files) ? report : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const AGAIN_MS = 20
const MAX_ATTEMPTS = 5

const sameList = (a: readonly string[], b: readonly string[]) => a.join('\n') === b.join('\n')

const verifyFiles = async (
  files: readonly string[],
  base: string,
  options: VerifyOptions,
): Promise<AuditReport> => {
  const verifier = await verifierOf(base, options)
  const [head, headProblem] = await headOf(base, verifier)
  const marks = head === undefined ? [] : [head.latest, head.signed]
  const walks: Walk[] = []
  for (const file of files) walks.push(await walkFile(file, { verifier, marks }))
  if (walks.length > 1 && hasNoLine(walks.at(-1))) walks.pop()
  const problem =
    walks.find((walk) => walk.problem !== undefined)?.problem ??
    joints(walks) ??
    headProblem ??
    (verifier === undefined ? keyMissing(base) : tail(walks.at(-1), head))
  return report(walks, head?.signed.seq ?? 0, problem)
}

/** Killed while it wrote the first line of a file. */
const hasNoLine = (walk: Walk | undefined) => walk?.lines === 0 && walk.problem === undefined

const verifierOf = async (base: string, { publicKey }: VerifyOptions): Promise<Verifier | undefined> => {
  const pems = publicKey ?? (await publicKeysOf(base))
  return pems === undefined ? undefined : verifierFrom(pems)
}

const headOf = async (
  base: string,
  verifier: Verifier | undefined,
): Promise<[HeadMarks | undefined, Problem | undefined]> => {
  if (verifier === undefined) return [undefined, undefined]
  try {
    return [await readHead(`${base}.head`, verifier), undefined]
  } catch (error) {
    if (!(error instanceof AuditFault)) throw error
    return [undefined, about('head_invalid', `${base}.head`, error.message)]
  }
}

const about = (code: ProblemCode, file: string, message: string): Problem => ({
  code,
  file,
  line: 0,
  seq: undefined,
  message,
})

const keyMissing = (base: string) =>
  about(
    'key_missing',
    base,
    `There is no public key beside the log (${base}.pub): give the one of the guard that wrote it.`,
  )

/** Do the files follow each other, and is the start where it should be? */
const joints = (walks: readonly Walk[]): Problem | undefined => {
  let before: Link | undefined
  for (const { file, first, origin, last } of walks) {
    if (first === undefined) return about('empty', file, 'The file holds no line of a guard.')
    const expected = before ?? (origin === 'first' ? START : undefined)
    if (expected !== undefined && (first.prev !== expected.hash || first.seq !== expected.seq + 1))
      return about(
        'file_gap',
        file,
        `The file does not continue line number ${expected.seq}: a file between is missing or changed.`,
      )
    if (expected === undefined && origin === 'missing')
      return about(
        'earlier_missing',
        file,
        'When the guard started, the log that went before was gone. Verify both in one folder.',
      )
    before = last
  }
  return undefined
}

const tail = (walk: Walk | undefined, head: HeadMarks | undefined): Problem | undefined => {
  if (walk === undefined || walk.sealed) {
    return walk !== undefined && head !== undefined && walk.last.seq < head.latest.seq
      ? cut(walk, head)
      : undefined
  }
  if (head === undefined)
    return about(
      'tail_unproven',
      walk.file,
      'There is no head file and the log does not end in a closing line: lines may have been cut off its end.',
    )
  return walk.last.seq < head.latest.seq ? cut(walk, head) : undefined
}

const cut = ({ file, last, lines }: Walk, { latest }: HeadMarks): Problem => ({
  code: 'tail_cut',
  file,
  line: lines,
  seq: last.seq,
  message: `The log ends at line number ${last.seq}, but ${latest.seq} were written: the end was cut off.`,
})

const report = (walks: readonly Walk[], headSeq: number, problem: Problem | undefined): AuditReport => {
  const sum = (pick: (walk: Walk) => number) => walks.reduce((total, walk) => total + pick(walk), 0)
  const last = walks.at(-1)
  const torn = (last?.size ?? 0) - (last?.good ?? 0)
  const origin = walks[0]?.origin
  return {
    ok: problem === undefined,
    problem,
    files: walks.map(({ file }) => file),
    lines: sum((walk) => walk.lines),
    firstSeq: walks[0]?.first?.seq ?? 0,
    lastSeq: last?.last.seq ?? 0,
    signedSeq: Math.max(last?.signedSeq ?? 0, Math.min(headSeq, last?.last.seq ?? 0)),
    begun: sum((walk) => walk.counts.begin),
    exchanges: sum((walk) => walk.counts.exchange),
    lost: sum((walk) => walk.counts.lost),
    unfinished: last?.unfinished.size ?? 0,
    checkpoints: sum((walk) => walk.counts.checkpoint),
    notes: [
      ...(problem === undefined && torn > 0
        ? [`The last ${torn} bytes are a write that was cut short; nobody was promised it.`]
        : []),
      ...(origin === 'rotated' || origin === 'moved' ? [earlier(walks)] : []),
    ],
  }
}

const earlier = (walks: readonly Walk[]): string => {
  const first = walks[0]?.first?.seq ?? 1
  const deletedTo = Math.max(...walks.map((walk) => walk.deletedTo))
  return deletedTo >= first - 1
    ? `Lines 1 to ${first - 1} are not here: the guard deleted them as its retention says, and signed for it.`
    : 'Earlier files of this log are not here.'
}
