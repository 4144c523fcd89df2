import { existsSync } from 'node:fs'
import { devNull } from 'node:os'
import { dirname, join } from 'node:path'
import { grypeScan, grypeTree, treeIn } from './anchore.ts'
import { fromNpmAudit } from './npm-audit.ts'
import { fromOsv } from './osv.ts'
import { ask, lastLine, onPath } from './tool.ts'
import type { Vulnerability } from './vulnerability.ts'

/** What one scanner found in one place, or why nobody looked. */
export type Scanned =
  { readonly by: string; readonly vulnerabilities: readonly Vulnerability[] } | { readonly missing: string }

/** osv-scanner asks with its own exit codes: 0 nothing found, 1 something found; all others are errors. */
const OSV_DONE = [0, 1]

export interface LockOptions {
  /** Uses a database on this machine only; osv-scanner's documentation says how to get one. */
  readonly offline: boolean
}

/** Known weaknesses of what a lock file names: by osv-scanner, else by npm for packages that are shipped. Throws an Error when osv-scanner fails. */
export const scanLock = async (lock: string, { offline }: LockOptions): Promise<Scanned> => {
  const osv = onPath('osv-scanner')
  if (osv !== undefined) {
    const mode = offline ? ['--offline'] : []
    return osvScan(osv, ['source', ...mode, '--lockfile', lock])
  }
  const npm = onPath('npm')
  if (npm === undefined || offline) return { missing: 'osv-scanner is missing' }
  const { out } = await ask(npm, ['audit', '--json', '--omit=dev', '--package-lock-only'], dirname(lock))
  // Of an answer without a report all that is known is that the registry did not give one.
  if (!out.includes('"auditReportVersion"'))
    return { missing: 'osv-scanner is missing, and the registry gives npm audit no report' }
  return { by: 'npm audit', vulnerabilities: fromNpmAudit(out) }
}

/**
 * Known weaknesses of an image: by Grype, and offline by osv-scanner, which online ends as if nothing was found when it cannot ask about an
 * image (tried with 2.5.1), else by Grype with the database that it has. `image` is a name that the container engine here knows, a file
 * made by `docker save`, a folder with an OCI layout, or `dir:` and a folder with installed packages. Throws an Error when the scanner fails.
 */
export const scanImage = async (image: string, { offline }: LockOptions): Promise<Scanned> => {
  const [osv, grype, syft] = [onPath('osv-scanner'), onPath('grype'), onPath('syft')]
  const tree = treeIn(image)
  if (tree !== undefined) {
    if (grype === undefined || syft === undefined)
      return { missing: 'grype and syft are needed for a folder, and one is missing' }
    return { by: 'grype', vulnerabilities: await grypeTree({ grype, syft }, tree, { offline }) }
  }
  // osv-scanner takes no folders.
  if (offline && osv !== undefined && !existsSync(join(image, 'oci-layout')))
    return osvScan(osv, ['image', '--offline', ...(isArchive(image) ? ['--archive'] : []), image])
  if (grype !== undefined) return { by: 'grype', vulnerabilities: await grypeScan(grype, image, { offline }) }
  return { missing: offline ? 'osv-scanner and grype are missing' : 'grype is missing' }
}

const isArchive = (image: string): boolean => image.endsWith('.tar')

/** Without the exceptions that a file osv-scanner.toml beside the lock file would make. */
const osvScan = async (osv: string, [kind, ...args]: readonly [string, ...string[]]): Promise<Scanned> => {
  const all = ['scan', kind, '--format', 'json', '--config', devNull, ...args]
  const { code, out, said } = await ask(osv, all, '.')
  if (!OSV_DONE.includes(code)) throw new Error(`osv-scanner ended with ${code}: ${lastLine(said)}`)
  // Of an image without a database it says so, and ends as if nothing was found.
  const gap = /^could not load .*$/m.exec(said)?.[0]
  if (gap !== undefined) throw new Error(`osv-scanner did not look at everything: ${gap}`)
  return { by: 'osv-scanner', vulnerabilities: fromOsv(out) }
}
