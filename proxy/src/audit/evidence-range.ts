import { hashOf, headerOf, signatureOf, SIGNED, type Header } from './chain.ts'
import type { Verifier } from './keys.ts'
import { linesOf } from './lines.ts'

/** A place where the chain does not hold. */
export interface Gap {
  /** Numbers of the lines before and after it. */
  readonly after: number
  readonly before: number
  readonly why: 'missing' | 'changed' | 'not_a_line' | 'signature_wrong'
}

/** What a bundle holds of a log. */
export interface Coverage {
  first_seq: number
  last_seq: number
  lines: number
  /** Of these, the ones in the range of time; the others tie them to what is before and to the signature after them. */
  in_range: { first_seq: number; last_seq: number; lines: number; exchanges: number }
  /** Lines about other tenants, of which only the hash is given. */
  withheld: number
  /** `prev` of the first line, and the hash of the last one. */
  first_prev: string
  last_hash: string
  /** Up to this line signatures of the guard vouch; 0 for none. */
  signed_to: number
  signed_lines: number
  /** Empty when the chain holds from the first line to the last. */
  readonly gaps: Gap[]
}

export interface RangeOptions {
  /** RFC 3339, UTC: lines written from `from` on and before `to`. */
  readonly from: string
  readonly to: string
  readonly verifier: Verifier | undefined
}

export interface RangeLine {
  readonly bytes: Buffer
  readonly header: Header | undefined
  readonly hash: string
}

export const emptyCoverage = (): Coverage => ({
  ...{ first_seq: 0, last_seq: 0, lines: 0, withheld: 0, first_prev: '', last_hash: '' },
  ...{ signed_to: 0, signed_lines: 0, gaps: [] },
  in_range: { first_seq: 0, last_seq: 0, lines: 0, exchanges: 0 },
})

/**
 * The lines of a range of time with the line before them and those after them up to the next signature; what is
 * found about them goes into `coverage`. The files are those of one log, in their order.
 */
export async function* rangeOf(
  files: readonly string[],
  options: RangeOptions,
  coverage: Coverage,
): AsyncGenerator<RangeLine> {
  const checked = (line: RangeLine): RangeLine => {
    check(coverage, line, options)
    return line
  }
  let before: RangeLine | undefined
  let begun = false
  for (const file of await fromFileOf(files, options.from)) {
    for await (const batch of linesOf(file)) {
      for (const { bytes, whole } of batch) {
        if (!whole) continue
        const header = headerOf(bytes)
        const line = { bytes, header, hash: hashOf(bytes) }
        if (!begun && header !== undefined && header.written < options.from) {
          before = { ...line, bytes: Buffer.from(bytes) }
          continue
        }
        const after = header !== undefined && header.written >= options.to
        if (after && (!begun || coverage.signed_to === coverage.last_seq)) return
        if (!begun && before !== undefined) yield checked(before)
        begun = true
        yield checked(line)
      }
    }
  }
}

/** Leaves out the files that end before the range. */
const fromFileOf = async (files: readonly string[], from: string): Promise<readonly string[]> => {
  let first = 0
  for (const [i, file] of files.entries()) {
    for await (const [line] of linesOf(file)) {
      const header = line && headerOf(line.bytes)
      if (header !== undefined && header.written < from) first = i
      break
    }
  }
  return files.slice(first)
}

const MOST_GAPS = 1000

const check = (coverage: Coverage, { bytes, header, hash }: RangeLine, options: RangeOptions): void => {
  const gap = (why: Gap['why']): void => {
    if (coverage.gaps.length < MOST_GAPS)
      coverage.gaps.push({ after: coverage.last_seq, before: header?.seq ?? 0, why })
  }
  coverage.lines += 1
  if (header === undefined) {
    gap('not_a_line')
    return
  }
  if (coverage.first_seq === 0) {
    coverage.first_seq = header.seq
    coverage.first_prev = header.prev
  } else if (header.seq !== coverage.last_seq + 1) gap('missing')
  else if (header.prev !== coverage.last_hash) gap('changed')
  coverage.last_seq = header.seq
  coverage.last_hash = hash
  if (SIGNED.has(header.type)) {
    coverage.signed_lines += 1
    const signature = options.verifier && signatureOf(bytes, header.type, options.verifier)
    if (signature === 'bad') gap('signature_wrong')
    if (signature === 'good') coverage.signed_to = header.seq
  }
  if (header.written < options.from || header.written >= options.to) return
  const { in_range: range } = coverage
  if (range.lines === 0) range.first_seq = header.seq
  range.last_seq = header.seq
  range.lines += 1
  if (header.type === 'exchange') range.exchanges += 1
}
