import type { Config } from '../config/schema.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { WorkloadIdentity } from '../workload/keeper.ts'
import { given } from './given.ts'

/** The certificates of the guard itself, kept fresh in a folder. Throws Error for what can never work. */
export const composeWorkload = async (
  { source, directory, spiffeId, socket, url, caFile, tokenFile }: NonNullable<Config['workload']>,
  instruments: { readonly meter: Meter; readonly log: Log },
): Promise<WorkloadIdentity> => {
  const common = { directory, ...given({ spiffeId }), ...instruments }
  if (source === 'spire') {
    if (socket === undefined) throw new Error('workload: socket is needed for spire')
    const { spireIdentity } = await import('../workload/spire.ts')
    return spireIdentity({ socket, ...common })
  }
  if (url === undefined || tokenFile === undefined)
    throw new Error('workload: url and tokenFile are needed for the controller')
  const { workloadIdentity } = await import('../workload/controller-identity.ts')
  return workloadIdentity({ url, tokenFile, ...given({ caFile }), ...common })
}
