import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const NAME = /^postern-e2e-run-(\d+)-/

/** A folder of temporary files of this process. Those of processes that were killed before they could clean up are removed first. */
export const ownFolder = (what: string, at = tmpdir()): string => {
  for (const name of readdirSync(at)) {
    const [, owner] = NAME.exec(name) ?? []
    if (owner !== undefined && !lives(Number(owner))) rmSync(join(at, name), { recursive: true, force: true })
  }
  return mkdtempSync(join(at, `postern-e2e-run-${process.pid}-${what}-`))
}

/** Another process may have the number by now: then the folder waits until that one has ended too. */
const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
