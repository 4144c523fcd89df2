import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { sarifLog } from '../lint/sarif.ts'
import type { Rule } from '../lint/rules.ts'
import type { Unlicensed } from './licences.ts'
import type { Judged } from './judge.ts'

/** What was found in one place: a lock file, or an image whose recipe is a file of the repository. */
export interface Place {
  readonly file: string
  readonly judged: readonly Judged[]
  readonly unlicensed: readonly Unlicensed[]
}

const FIX =
  'Take a version without it, or write an exception with a reason and a day into the exceptions file.'

const RULES = {
  'vulnerable-package': {
    level: 'error',
    title: 'A package with a known weakness is shipped',
    why: 'It is known how to attack it, to everybody.',
    fix: FIX,
    owasp: 'LLM03:2025',
    cwe: 1395,
  },
  'vulnerable-package-tolerated': {
    level: 'note',
    title: 'A package with a known weakness that does not fail the scan',
    why: 'It is below the limit, not fixed by anybody yet, not shipped, or excepted for a time.',
    fix: FIX,
    owasp: 'LLM03:2025',
    cwe: 1395,
  },
  'licence-not-allowed': {
    level: 'error',
    title: 'A package is shipped under terms that nobody allowed',
    why: 'Its licence may ask for what the product cannot give.',
    fix: 'Take another package, or have the licence read and add it to the allowed ones.',
    owasp: 'LLM03:2025',
    cwe: 1395,
  },
} as const satisfies Readonly<Record<string, Rule>>

/** SARIF 2.1.0. A package is placed at its line of the lock file, else at the first line. */
export const scanSarif = (places: readonly Place[]): string =>
  sarifLog(
    places.flatMap(({ file, judged, unlicensed }) => {
      const lines = readFileSync(file, 'utf8').split('\n')
      const at = placeIn(file, lines)
      return [
        ...judged.map(
          ({ vulnerability: { id, package: name, version, severity, fixedIn }, fails, note }) => ({
            ...at(name, `${id} ${version}`),
            ruleId: fails ? 'vulnerable-package' : 'vulnerable-package-tolerated',
            level: fails ? 'error' : 'note',
            message: {
              text: `${name} ${version}: ${id}, ${severity}. Fixed in: ${fixedIn.join(', ') || 'nothing yet'}. ${note}`.trim(),
            },
          }),
        ),
        ...unlicensed.map(({ package: name, version, licence }) => ({
          ...at(name, `licence ${version}`),
          ruleId: 'licence-not-allowed',
          level: 'error',
          message: { text: `${name} ${version}: ${licence || 'no licence'}` },
        })),
      ]
    }),
    { tool: 'postern-sec scan', rules: RULES },
  )

const placeIn = (file: string, lines: readonly string[]) => {
  const uri = relative('.', file).split('/').map(encodeURIComponent).join('/')
  return (name: string, what: string) => ({
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri },
          region: {
            startLine: Math.max(
              1,
              1 + lines.findIndex((line) => line.trimStart().startsWith(`"node_modules/${name}":`)),
            ),
          },
        },
      },
    ],
    partialFingerprints: { 'posternSec/v1': `${uri} ${name} ${what}` },
  })
}
