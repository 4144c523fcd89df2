import { hashOf, headerOf, signatureOf, SIGNED, START, type Header, type Link } from './chain.ts'
import type { Verifier } from './keys.ts'
import { linesOf, type Line } from './lines.ts'

export type ProblemCode =
  | 'line_invalid'
  | 'seq_wrong'
  | 'prev_wrong'
  | 'start_wrong'
  | 'signature_wrong'
  | 'key_unknown'
  | 'head_mismatch'
  | 'tail_cut'
  | 'tail_unproven'
  | 'file_gap'
  | 'earlier_missing'
  | 'head_invalid'
  | 'key_missing'
  | 'empty'

export interface Problem {
  readonly code: ProblemCode
  readonly file: string
  /** From 1; 0 when it is not about one line. */
  readonly line: number
  /** The number that the line says it has, or undefined when it cannot be read. */
  readonly seq: number | undefined
  readonly message: string
}

/** How far one file of the log holds. */
export interface Walk {
  readonly file: string
  readonly first: Header | undefined
  /** What the first line says about the files before it. */
  readonly origin: string | undefined
  readonly last: Link
  readonly lines: number
  /** Bytes up to the end of the last good line, and in all. */
  readonly good: number
  readonly size: number
  /** Number of the last line that carries a signature; 0 when none does. */
  readonly signedSeq: number
  /** It ends in a signed line that says that this is the end. */
  readonly sealed: boolean
  /** Up to this line the log says that its own retention deleted it; 0 when it says so of none. */
  readonly deletedTo: number
  readonly problem: Problem | undefined
  /** Exchanges that began and have no end, and the number of the line where each began. */
  readonly unfinished: ReadonlyMap<string, number>
  readonly counts: Readonly<Record<Header['type'], number>>
}

export interface WalkOptions {
  /** Undefined: signatures are not looked at. */
  readonly verifier: Verifier | undefined
  /** Lines whose hash is known from the head file. */
  readonly marks: readonly Link[]
}

type State = { -readonly [K in keyof Walk]: Walk[K] } & {
  readonly unfinished: Map<string, number>
  readonly counts: Record<Header['type'], number>
}

const MAX_UNFINISHED = 1_000_000 // more cannot come from a guard; keeps a forged log from filling memory

/** Checks every line against the one before it, up to the first problem. The rest of the file is only measured. */
export const walkFile = async (file: string, options: WalkOptions): Promise<Walk> => {
  const state = newState(file)
  for await (const lines of linesOf(file)) for (const line of lines) take(state, line, options)
  return state
}

const newState = (file: string): State => ({
  file,
  first: undefined,
  origin: undefined,
  last: START,
  lines: 0,
  good: 0,
  size: 0,
  signedSeq: 0,
  sealed: false,
  deletedTo: 0,
  problem: undefined,
  unfinished: new Map(),
  counts: {
    open: 0,
    begin: 0,
    exchange: 0,
    checkpoint: 0,
    rotate: 0,
    close: 0,
    retention: 0,
    carry: 0,
    lost: 0,
    recovered: 0,
    response: 0,
    feedback: 0,
  },
})

const take = (state: State, line: Line, options: WalkOptions): void => {
  state.size += line.bytes.length + (line.whole ? 1 : 0)
  if (state.problem !== undefined || !line.whole) return
  const header = headerOf(line.bytes)
  const link = { seq: header?.seq ?? 0, hash: hashOf(line.bytes) }
  const wrong = header === undefined ? INVALID : wrongWith(state, { header, link, line }, options)
  if (header === undefined || wrong !== undefined) {
    const [code, message] = wrong ?? INVALID
    state.problem = { code, message, file: state.file, line: state.lines + 1, seq: header?.seq }
    return
  }
  if (state.first === undefined) {
    state.first = header
    state.origin = /,"origin":"([a-z]{1,16})"/.exec(line.bytes.toString('utf8', 0, 1024))?.[1]
  }
  state.last = link
  state.lines += 1
  state.good = state.size
  if (SIGNED.has(header.type)) state.signedSeq = header.seq
  state.sealed = header.type === 'close' || header.type === 'rotate'
  state.counts[header.type] += 1
  if (header.type === 'retention')
    state.deletedTo = Number(/"last_seq":(\d{1,16})/.exec(line.bytes.toString('latin1'))?.[1])
  follow(state, header, line)
}

type Wrong = readonly [ProblemCode, string]

const INVALID: Wrong = ['line_invalid', 'This line is not one that a guard wrote: it was changed or put in.']

interface Seen {
  readonly header: Header
  readonly link: Link
  readonly line: Line
}

const wrongWith = (state: State, { header, link, line }: Seen, options: WalkOptions): Wrong | undefined => {
  if (state.first === undefined) {
    if (header.type !== 'open')
      return ['start_wrong', 'The file does not start with its first line: lines are missing.']
  } else if (header.seq !== state.last.seq + 1) {
    return [
      'seq_wrong',
      `Line number ${state.last.seq + 1} should be here: lines are missing, doubled or in another order.`,
    ]
  } else if (header.prev !== state.last.hash) {
    return [
      'prev_wrong',
      'This line does not continue the one before it: one of the two was changed or replaced.',
    ]
  }
  if (options.marks.some((mark) => mark.seq === link.seq && mark.hash !== link.hash))
    return ['head_mismatch', 'The head file knows this line with another hash: it was changed.']
  const signature = options.verifier && signatureOf(line.bytes, header.type, options.verifier)
  if (signature === 'bad')
    return ['signature_wrong', 'The signature of this line is wrong: the log up to here was forged.']
  if (signature === 'key_unknown')
    return [
      'key_unknown',
      'This line is signed by a key that is not known: it was forged, or give its public key too.',
    ]
  return undefined
}

const follow = ({ unfinished }: State, { type, seq, id }: Header, line: Line): void => {
  if (id === undefined) return
  if (type === 'exchange' || type === 'lost') unfinished.delete(id)
  else if (unfinished.size < MAX_UNFINISHED) {
    const begun =
      type === 'carry'
        ? Number(/"begun":(\d{1,16})\}$/.exec(line.bytes.toString('latin1').slice(-32))?.[1])
        : seq
    unfinished.set(id, begun)
  }
}
