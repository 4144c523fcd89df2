import type { Config } from '../config/schema.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { workloadIdentity } from '../workload/controller-identity.ts'
import type { WorkloadIdentity } from '../workload/keeper.ts'
import { spireIdentity } from '../workload/spire.ts'
import { given } from './given.ts'

/** The certificates of the guard itself, kept fresh in a folder. Throws Error for what can never work. */
export const composeWorkload = (
  { source, directory, spiffeId, socket, url, caFile, tokenFile }: NonNullable<Config['workload']>,
  instruments: { readonly meter: Meter; readonly log: Log },
): Promise<WorkloadIdentity> => {
  const common = { directory, ...given({ spiffeId }), ...instruments }
  if (source === 'spire') {
    if (socket === undefined) throw new Error('workload: socket is needed for spire')
    return spireIdentity({ socket, ...common })
  }
  if (url === undefined || tokenFile === undefined)
    throw new Error('workload: url and tokenFile are needed for the controller')
  return workloadIdentity({ url, tokenFile, ...given({ caFile }), ...common })
}
