import { homedir } from 'node:os'
import { join } from 'node:path'

/** As in go/go.mod; a new version builds into a folder of its own. */
const VERSION = '0.161.0'

export const collectorFolder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  `postern-otelcol-${VERSION}`,
)

export const collectorProgram = join(collectorFolder, 'otelcol')
