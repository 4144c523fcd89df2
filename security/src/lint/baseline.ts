import { readFileSync, writeFileSync } from 'node:fs'
import type { Result } from './result.ts'

/** Findings that are known; new ones are what counts. Throws an Error for a file that is not a baseline. */
export const readBaseline = (path: string): ReadonlySet<string> => {
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as unknown
  if (typeof parsed !== 'object' || parsed === null || !('version' in parsed) || parsed.version !== 1)
    throw new Error(`${path} is not a baseline of version 1`)
  const findings = 'findings' in parsed ? parsed.findings : undefined
  if (typeof findings !== 'object' || findings === null) throw new Error(`${path} has no findings`)
  return new Set(Object.keys(findings))
}

/** Rule and path are for people; only fingerprints are compared. */
export const writeBaseline = (path: string, results: readonly Result[]): void => {
  const findings = Object.fromEntries(
    [...results]
      .sort((one, two) => one.fingerprint.localeCompare(two.fingerprint))
      .map(({ fingerprint, finding, path: file }) => [fingerprint, `${finding.rule} ${file}`]),
  )
  writeFileSync(path, `${JSON.stringify({ version: 1, findings }, undefined, 2)}\n`)
}
