import { report, type Node } from './read.ts'
import { severityOf, type Vulnerability } from './vulnerability.ts'

/**
 * Reads `npm audit --json`, report version 2, which names ranges and not versions. Packages that are reported only because of what they
 * depend on are left out: what they depend on is there itself.
 */
export const fromNpmAudit = (json: string): readonly Vulnerability[] =>
  report(json, 'npm audit', 'vulnerabilities')
    .at('vulnerabilities')
    .entries()
    .flatMap(([name, entry]) =>
      entry
        .at('via')
        .list()
        .filter((via) => via.at('title').text() !== undefined)
        .map((via) => ({
          id: idOf(via),
          aliases: [],
          package: name,
          version: via.at('range').text() ?? '',
          severity: severityOf(via.at('severity').text()),
          fixedIn: fix(entry.at('fixAvailable')),
          development: false,
        })),
    )

const idOf = (via: Node): string =>
  /GHSA(-[0-9a-z]{4}){3}$/.exec(via.at('url').text() ?? '')?.[0] ?? `npm-${String(via.at('source').value)}`

const fix = (available: Node): readonly string[] => {
  const version = available.at('version').text()
  if (version !== undefined) return [`${available.at('name').text() ?? ''} ${version}`]
  return available.value === true ? ['npm audit fix'] : []
}
