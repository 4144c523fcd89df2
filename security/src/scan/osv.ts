import { report, type Node } from './read.ts'
import { severityOf, severityOfScore, type Severity, type Vulnerability } from './vulnerability.ts'

/** Reads `osv-scanner --format json`, versions 2.x. Weaknesses that are aliases of each other are one. */
export const fromOsv = (json: string): readonly Vulnerability[] =>
  report(json, 'osv-scanner', 'results')
    .at('results')
    .list()
    .flatMap((source) => source.at('packages').list())
    .flatMap(ofPackage)

const ofPackage = (entry: Node): readonly Vulnerability[] => {
  const name = entry.at('package').at('name').text() ?? ''
  const version = entry.at('package').at('version').text() ?? ''
  const groups = entry
    .at('dependency_groups')
    .list()
    .map((each) => each.text())
  const records = entry.at('vulnerabilities').list()
  return entry
    .at('groups')
    .list()
    .map((group) => {
      const ids = texts(group.at('ids'))
      const own = records.filter((record) => ids.includes(record.at('id').text() ?? ''))
      return {
        id: ids[0] ?? 'unknown',
        aliases: [...new Set([...ids.slice(1), ...texts(group.at('aliases'))])],
        package: name,
        version,
        severity: severityOfGroup(ids, group, own),
        fixedIn: [...new Set(own.flatMap((record) => fixes(record, name)))],
        development: groups.length > 0 && groups.every((each) => each === 'dev' || each === 'optional-dev'),
      }
    })
}

const severityOfGroup = (ids: readonly string[], group: Node, records: readonly Node[]): Severity => {
  if (ids.some(isMalware)) return 'critical'
  const score = Number.parseFloat(group.at('max_severity').text() ?? '')
  if (Number.isFinite(score)) return severityOfScore(score)
  return severityOf(
    records.map((record) => record.at('database_specific').at('severity').text()).find(Boolean),
  )
}

/** Reports of malicious packages have neither score nor fix. */
const isMalware = (id: string): boolean => id.startsWith('MAL-')

const REMOVE = 'none: remove the package'

const fixes = (record: Node, name: string): readonly string[] => {
  if (isMalware(record.at('id').text() ?? '')) return [REMOVE]
  return record
    .at('affected')
    .list()
    .filter((affected) => (affected.at('package').at('name').text() ?? name) === name)
    .flatMap((affected) => affected.at('ranges').list())
    .flatMap((range) => range.at('events').list())
    .flatMap((event) => event.at('fixed').text() ?? [])
}

const texts = (list: Node): readonly string[] => list.list().flatMap((each) => each.text() ?? [])
