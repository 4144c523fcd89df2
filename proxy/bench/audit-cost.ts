import { join } from 'node:path'
import { load } from './load.ts'
import { start, type Running } from './processes.ts'
import type { BenchTarget } from './targets.ts'

const CLIENTS = 64
const ROUNDS = 10
const SECONDS = 0.6

/** The same guard without its record. */
export const withoutAudit = (target: BenchTarget): BenchTarget => ({
  ...target,
  name: 'Postern without audit',
  start: {
    ...target.start,
    args: ['--import', join(import.meta.dirname, 'no-audit.mjs'), ...target.start.args],
  },
})

export interface AuditPair {
  readonly audited: BenchTarget
  readonly bare: BenchTarget
}

/**
 * Requests a second with the audit over requests a second without, when more clients ask than can be served: for each body the
 * median of rounds in which all guards take their turn, since a shared machine is faster in one minute than in the next. Several
 * pairs, since two processes of the same program differ by a tenth.
 */
export const auditThroughput = async (
  pairs: readonly AuditPair[],
  bodies: readonly Buffer[],
): Promise<readonly number[]> => {
  const running: Running[] = []
  try {
    for (const { audited, bare } of pairs)
      for (const target of [audited, bare]) running.push(await start(target.start))
    const ratios: number[] = []
    for (const body of bodies) ratios.push(await ratioOf(pairs, body))
    return ratios
  } finally {
    for (const one of running) await one.stop()
  }
}

const ratioOf = async (pairs: readonly AuditPair[], body: Buffer): Promise<number> => {
  const ratios: number[] = []
  for (let round = -2; round < ROUNDS; round++) {
    const served = { audited: 0, bare: 0 }
    for (const [i, pair] of pairs.entries())
      for (const side of (round + i) % 2 === 0 ? SIDES : SIDES.toReversed())
        served[side] += await requests(pair[side], body)
    if (round >= 0) ratios.push(served.audited / served.bare)
  }
  return ratios.sort((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN
}

const SIDES = ['audited', 'bare'] as const

const requests = async ({ start: { port }, headers }: BenchTarget, body: Buffer): Promise<number> =>
  (await load({ target: { port, headers }, body, concurrency: CLIENTS, seconds: SECONDS })).requests
