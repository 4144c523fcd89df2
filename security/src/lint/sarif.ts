import type { Fix } from './finding.ts'
import { ruleOf, type Result } from './result.ts'
import { rules, type Rule } from './rules.ts'
import { positions } from '../../../proxy/src/core/positions.ts'

export interface SarifOptions {
  readonly tool: string
  readonly rules: Readonly<Record<string, Rule>>
}

const LINT: SarifOptions = { tool: 'postern-sec lint', rules }

/** SARIF 2.1.0, as code scanning reads it. `textOf` gives the text of a file, to place its fixes; columns are UTF-16 units. */
export const sarif = (results: readonly Result[], textOf: (path: string) => string): string =>
  sarifLog(
    results.map((result) => ({ ...asResult(result), ...fixes(result, textOf) })),
    LINT,
  )

export const sarifLog = (results: readonly object[], options: SarifOptions): string =>
  `${JSON.stringify(
    {
      $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
      version: '2.1.0',
      runs: [{ tool: { driver: driver(options) }, columnKind: 'utf16CodeUnits', results }],
    },
    undefined,
    2,
  )}\n`

const driver = (options: SarifOptions): object => ({
  name: options.tool,
  semanticVersion: '0.1.0',
  rules: Object.entries(options.rules).map(([id, rule]) => ({
    id,
    name: id
      .split('-')
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join(''),
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.why },
    help: { text: `${rule.why} ${rule.fix}` },
    defaultConfiguration: { level: rule.level },
    properties: {
      tags: ['security', rule.owasp, `external/cwe/cwe-${rule.cwe}`],
      'security-severity': SEVERITY[rule.level],
    },
  })),
})

const SEVERITY = { error: '8.0', warning: '5.0', note: '2.0' } as const

const asResult = (result: Result): object => ({
  ruleId: result.finding.rule,
  level: result.level,
  message: { text: `${result.finding.message} ${ruleOf(result.finding).fix}` },
  locations: [
    {
      physicalLocation: {
        artifactLocation: { uri: uriOf(result.path) },
        region: {
          startLine: result.start.line,
          startColumn: result.start.column,
          endLine: result.end.line,
          endColumn: result.end.column,
        },
      },
    },
  ],
  partialFingerprints: { 'posternSec/v1': result.fingerprint },
})

const uriOf = (path: string): string => path.replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/')

const fixes = ({ finding, path }: Result, textOf: (path: string) => string): object =>
  finding.fix === undefined ? {} : { fixes: [asFix(finding.fix, path, positions(textOf(path)))] }

const asFix = (fix: Fix, path: string, place: ReturnType<typeof positions>): object => ({
  description: { text: fix.title },
  artifactChanges: [
    {
      artifactLocation: { uri: uriOf(path) },
      replacements: fix.edits.map(({ start, end, insert }) => {
        const from = place(start)
        const to = place(end)
        return {
          deletedRegion: {
            startLine: from.line,
            startColumn: from.column,
            endLine: to.line,
            endColumn: to.column,
          },
          insertedContent: { text: insert },
        }
      }),
    },
  ],
})
