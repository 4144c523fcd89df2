import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where a program is: on the PATH, or under the user's cache as `postern-<name>` or `postern-<name>/bin/<name>`; undefined when nowhere. */
export const findProgram = (name: string): string | undefined => {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return [
    ...(process.env['PATH'] ?? '').split(':').map((folder) => join(folder, name)),
    join(cache, `postern-${name}`, 'bin', name),
    join(cache, `postern-${name}`),
  ].find((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}
