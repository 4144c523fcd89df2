import { join } from 'node:path'
import { upApi } from './api-cluster.ts'
import { cache } from './folders.ts'
import { dockerWorks, upKind } from './kind.ts'
import { upNode } from './node/node.ts'
import type { Cluster, Tier } from './tiers.ts'

/** A fresh, empty cluster that ends with this process (kind's only by `down`). */
export const up = async (tier: Tier): Promise<Cluster> => {
  if (tier === 'api') return upApi(join(cache, 'api'))
  return (await dockerWorks()) ? upKind(join(cache, 'kind')) : upNode(join(cache, 'node'))
}
