import { join } from 'node:path'
import { load } from './load.ts'
import { start, type Running } from './processes.ts'
import type { BenchTarget } from './targets.ts'

const CLIENTS = 64
const ROUNDS = 10
const SECONDS = 2

/** The same guard without its record. */
export const withoutAudit = (target: BenchTarget): BenchTarget => ({
  ...target,
  name: 'Postern without audit',
  start: {
    ...target.start,
    args: ['--import', join(import.meta.dirname, 'no-audit.mjs'), ...target.start.args],
  },
})

/**
 * Requests a second with the audit over requests a second without, when more clients ask than can be served: the median of
 * seconds that the two guards take in turn, since a shared machine is faster in one minute than in the next.
 */
export const auditThroughput = async (
  { audited, bare }: { readonly audited: BenchTarget; readonly bare: BenchTarget },
  body: Buffer,
): Promise<number> => {
  const running: Running[] = []
  try {
    for (const target of [audited, bare]) running.push(await start(target.start))
    const second = async ({ start: { port }, headers }: BenchTarget): Promise<number> =>
      (await load({ target: { port, headers }, body, concurrency: CLIENTS, seconds: SECONDS })).requests
    const ratios: number[] = []
    for (let round = -2; round < ROUNDS; round++) {
      const forth = round % 2 === 0
      const first = await second(forth ? audited : bare)
      const then = await second(forth ? bare : audited)
      if (round >= 0) ratios.push(forth ? first / then : then / first)
    }
    return ratios.sort((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN
  } finally {
    for (const one of running) await one.stop()
  }
}
