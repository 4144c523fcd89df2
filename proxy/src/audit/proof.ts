import { open } from 'node:fs/promises'
import { hashOf, headerOf, signatureOf, SIGNED, type Header } from './chain.ts'
import { AuditFault } from './fault.ts'
import type { FoundLine } from './find.ts'
import { readHead, type HeadMarks } from './head.ts'
import { verifierFrom, type Verifier } from './keys.ts'
import { linesOf } from './lines.ts'
import { publicKeysOf } from './series.ts'

/** What the lines around one line prove about it. */
export interface Proof {
  /**
   * `signed`: a signature after it vouches for it. `chained`: the lines around it fit, and no signature follows yet, or its key
   * is not known. `broken`: a line around it was changed, put in or taken out, or the signature is wrong.
   */
  readonly state: 'signed' | 'chained' | 'broken'
  /** Numbers of the first and the last line that were checked. */
  readonly from: number
  readonly to: number
  /** When the line that signs for it was written. */
  readonly signedAt: string | undefined
  /** What is wrong, or why there is no signature. */
  readonly why: string | undefined
}

export interface ProofOptions {
  /** The log that the file belongs to: its head and keys lie beside it. */
  readonly base: string
  /** Ed25519 public keys, PEM, instead of those beside the log. */
  readonly publicKey?: string
}

const BACK = 8 << 20 // bytes before the line in which the signed line before it is looked for
const MOST_LINES = 1_000_000 // lines after it until the next signature; the guard's own bound

/** Checks the chain from the signed line before `found` to the one after it. */
export const proveLine = async (found: FoundLine, options: ProofOptions): Promise<Proof> => {
  const pems = options.publicKey ?? (await publicKeysOf(options.base))
  const verifier = pems === undefined ? undefined : verifierFrom(pems)
  const head = await headOf(options.base, verifier)
  const state: State = { from: found.header.seq, to: 0, hash: '', passed: false, head, verifier }
  for (const bytes of await linesBefore(found)) {
    const why = follow(state, bytes)
    if (typeof why === 'string') return broken(state, why)
  }
  let lines = 0
  for await (const batch of linesOf(found.file, { start: found.offset })) {
    for (const { bytes, whole } of batch) {
      if (!whole) continue
      const header = follow(state, bytes)
      if (typeof header === 'string') return broken(state, header)
      if (SIGNED.has(header.type)) {
        const signature = verifier && signatureOf(bytes, header.type, verifier)
        if (signature === 'bad') return broken(state, `the signature of line ${header.seq} is wrong`)
        const { from, to } = state
        if (signature === 'good')
          return { state: 'signed', from, to, signedAt: header.written, why: undefined }
        const why = `line ${header.seq} is signed by a key that is not known here`
        return { state: 'chained', from, to, signedAt: undefined, why }
      }
      lines += 1
    }
    if (lines > MOST_LINES) break
  }
  return byHead(state, found)
}

interface State {
  from: number
  /** 0 before the first line. */
  to: number
  hash: string
  /** The line that the head signs for was among them. */
  passed: boolean
  readonly head: HeadMarks | undefined
  readonly verifier: Verifier | undefined
}

/** The header, or what is wrong. */
const follow = (state: State, bytes: Buffer): Header | string => {
  const header = headerOf(bytes)
  if (header === undefined) return `after line ${state.to} stands one that no guard wrote`
  if (state.to > 0 && header.seq !== state.to + 1)
    return `line ${header.seq} follows line ${state.to}: lines are missing or in another order`
  if (state.to > 0 && header.prev !== state.hash)
    return `line ${header.seq} does not continue line ${state.to}: one of the two was changed`
  if (state.to === 0) state.from = header.seq
  state.to = header.seq
  state.hash = hashOf(bytes)
  for (const mark of [state.head?.latest, state.head?.signed]) {
    if (mark?.seq === header.seq && mark.hash !== state.hash)
      return `the head file knows line ${header.seq} with another hash`
  }
  if (state.head?.signed.seq === header.seq) state.passed = true
  return header
}

const broken = ({ from, to }: Pick<State, 'from' | 'to'>, why: string): Proof => ({
  ...{ state: 'broken', from, to, signedAt: undefined, why },
})

/** The end of the log: the head file, which was read before the lines were, is signed too and knows how long the log was. */
const byHead = ({ from, to, head, passed, verifier }: State, { header }: FoundLine): Proof => {
  const chained = (why: string): Proof => ({ state: 'chained', from, to, signedAt: undefined, why })
  if (verifier === undefined) return chained('there is no public key beside the log')
  if (head === undefined) return chained('no signed line follows it, and there is no head file')
  if (head.latest.seq > to)
    return broken({ from, to }, `the log ends at line ${to}, but ${head.latest.seq} were written`)
  return passed && head.signed.seq >= header.seq
    ? { state: 'signed', from, to, signedAt: undefined, why: undefined }
    : chained('no signed line follows it yet')
}

const headOf = async (base: string, verifier: Verifier | undefined): Promise<HeadMarks | undefined> => {
  if (verifier === undefined) return undefined
  return readHead(`${base}.head`, verifier).catch((error: unknown) => {
    if (error instanceof AuditFault) return undefined
    throw error
  })
}

/** From the signed line before it on, as far as that is near; the first line of a file is one. */
const linesBefore = async ({ file, offset }: FoundLine): Promise<readonly Buffer[]> => {
  const start = Math.max(0, offset - BACK)
  const data = Buffer.alloc(offset - start)
  const handle = await open(file, 'r')
  try {
    await handle.read(data, 0, data.length, start)
  } finally {
    await handle.close()
  }
  const lines: Buffer[] = []
  for (let end = data.length - 1; end > 0;) {
    const at = data.lastIndexOf(0x0a, end - 1)
    // The first line of the window may have begun before it.
    if (at < 0 && start > 0) break
    const line = data.subarray(at + 1, end)
    lines.push(line)
    if (SIGNED.has(headerOf(line)?.type ?? '')) break
    end = at
  }
  return lines.reverse()
}
