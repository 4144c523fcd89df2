import type { Attack } from './attack.ts'
import { judge, type Attempt } from './attempt.ts'
import { send, type Endpoint } from './client.ts'
import type { Planted } from './planted.ts'

export interface Firing {
  readonly endpoint: Endpoint
  readonly planted: Planted
  /** Requests at a time. */
  readonly concurrency: number
  readonly onAttempt: (attempt: Attempt) => void
  /** No attack is begun once it has fired. */
  readonly stop?: AbortSignal
}

/** Sends all attacks, some at a time, until it is told to stop; the attempts come in the order of the attacks. */
export const fire = async (attacks: readonly Attack[], firing: Firing): Promise<readonly Attempt[]> => {
  const attempts: (Attempt | undefined)[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < attacks.length && firing.stop?.aborted !== true; at = next++) {
      const attack = attacks[at]
      if (attack === undefined) return
      const attempt = judge(attack, await send(firing.endpoint, attack), firing.planted)
      attempts[at] = attempt
      firing.onAttempt(attempt)
    }
  }
  await Promise.all(Array.from({ length: Math.min(firing.concurrency, attacks.length) }, worker))
  return attempts.filter((attempt) => attempt !== undefined)
}
