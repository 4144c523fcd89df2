import { randomFillSync } from 'node:crypto'

/** W3C Trace Context, level 2. */
export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

const LENGTH = 55 // 00-<32>-<16>-<2>

/**
 * Strict: lower-case hex, no all-zero ids, never version ff. A later version may be longer, but only after another dash.
 * Undefined for everything else; such a header is as if it were not there.
 */
export const parseTraceparent = (header: string | undefined): TraceParent | undefined => {
  if (header === undefined || header.length < LENGTH || header.length > 512) return undefined
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header.slice(0, LENGTH))
  if (match === null) return undefined
  const [, version = '', traceId = '', spanId = '', flags = ''] = match
  if (version === 'ff' || NO_TRACE.test(traceId) || NO_TRACE.test(spanId)) return undefined
  if (header.length > LENGTH && (version === '00' || header[LENGTH] !== '-')) return undefined
  return { traceId, spanId, sampled: (parseInt(flags, 16) & 1) === 1 }
}

const NO_TRACE = /^0+$/

export const formatTraceparent = (parent: TraceParent): string =>
  `00-${parent.traceId}-${parent.spanId}-${parent.sampled ? '01' : '00'}`

/** A new trace that nobody records, for when tracing is off and the client sent none. */
export const newTraceparent = (): TraceParent => ({
  traceId: randomHex(16),
  spanId: randomHex(8),
  sampled: false,
})

const pool = Buffer.alloc(4096)
let used = pool.length

// All zeros has no practical chance: 2^-64.
const randomHex = (bytes: number): string => {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
