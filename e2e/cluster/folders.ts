import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What the cluster is made of; a new version builds into a folder of its own. */
export const KUBERNETES = '1.36.3'

/** Where what is built once is kept: binaries and images, by version. */
export const cache = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'postern-e2e',
  `kubernetes-${KUBERNETES}`,
)

export const bin = process.env.POSTERN_E2E_BIN ?? join(cache, 'bin')

export const images = join(cache, 'images')

/** The programs among `names` that are not built yet. */
export const missing = (names: readonly string[]): readonly string[] =>
  names.filter((name) => !existsSync(join(bin, name)))
