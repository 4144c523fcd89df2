import { readFileSync } from 'node:fs'
import { upApi } from '../cluster/api-cluster.ts'
import { missing } from '../cluster/folders.ts'
import { dockerWorks } from '../cluster/kind.ts'
import { capture } from '../cluster/kubectl.ts'
import { buildImages } from '../cluster/own-images.ts'
import { missingPackages } from '../cluster/packages.ts'
import { kept } from '../cluster/supervise.ts'
import { PROGRAMS, type Cluster as Running, type Tier } from '../cluster/tiers.ts'
import { up } from '../cluster/up.ts'
import { ownFolder } from './folders.ts'

/** What the specs of a tier are told, through the environment, about the cluster that setup made. */
export interface Cluster {
  readonly kubeconfig: string
  readonly url: string
}

let down: (() => Promise<void>) | undefined

export const setUpApi = async (): Promise<void> => {
  if (cannot(missing(PROGRAMS.api), 'api')) return
  const cluster = await upApi(ownFolder('api'))
  down = cluster.down
  tell(cluster)
}

/** A cluster that a developer keeps (`cluster.ts up full`) is used and left; else one is made and ended. */
export const setUpFull = async (): Promise<void> => {
  const own = kept('full')
  if (!own && cannot(await lackingForFull(), 'full')) return
  const started = own ? undefined : await up('full')
  down = started?.down
  const cluster = own ?? started
  if (!cluster) return
  try {
    // A developer who changes specs only need not wait for images that are in the cluster already.
    if (!own || process.env.POSTERN_E2E_IMAGES !== 'keep')
      for (const archive of await buildImages(say)) await capture([...cluster.loader, archive])
  } catch (cause) {
    await tearDown()
    throw cause
  }
  tell(cluster)
}

export const tearDown = async (): Promise<void> => {
  await down?.()
  down = undefined
}

const lackingForFull = async (): Promise<readonly string[]> => {
  if (await dockerWorks()) return missing(['kubectl', 'helm'])
  const root = process.getuid?.() === 0 ? [] : ['root, or Docker']
  return [...root, ...missing(PROGRAMS.full), ...missingPackages().map((name) => `Debian's ${name}`)]
}

const say = (line: string): void => {
  process.stderr.write(`e2e: ${line}\n`)
}

const tell = ({ kubeconfig }: Pick<Running, 'kubeconfig'>): void => {
  const [, url = ''] = /"?server"?: ?"?(https:[^",\s]+)/.exec(readFileSync(kubeconfig, 'utf8')) ?? []
  process.env.POSTERN_E2E_CLUSTER = JSON.stringify({ kubeconfig, url } satisfies Cluster)
}

/** Whether the tier must be skipped; where nothing may be skipped, an error that says what to do. */
const cannot = (lacking: readonly string[], tier: Tier): boolean => {
  if (lacking.length === 0) return false
  const reason = `missing: ${lacking.join(', ')}; run node e2e/cluster/cluster.ts build ${tier}`
  if (process.env.CI) throw new Error(reason)
  say(`every test of the ${tier} tier is skipped, ${reason}`)
  process.env.POSTERN_E2E_MISSING = reason
  return true
}
