import { report } from './read.ts'
import { severityOf, type Vulnerability } from './vulnerability.ts'

/** Reads `grype -o json`. */
export const fromGrype = (json: string): readonly Vulnerability[] =>
  report(json, 'grype', 'matches')
    .at('matches')
    .list()
    .map((match) => {
      const found = match.at('vulnerability')
      return {
        id: found.at('id').text() ?? 'unknown',
        aliases: match
          .at('relatedVulnerabilities')
          .list()
          .flatMap((each) => each.at('id').text() ?? []),
        package: match.at('artifact').at('name').text() ?? '',
        version: match.at('artifact').at('version').text() ?? '',
        severity: severityOf(found.at('severity').text()),
        fixedIn: found
          .at('fix')
          .at('versions')
          .list()
          .flatMap((each) => each.text() ?? []),
        development: false,
      }
    })
