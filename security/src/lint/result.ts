import { createHash } from 'node:crypto'
import type { Finding, Level } from './finding.ts'
import { rules, type Rule } from './rules.ts'
import { positions, type Position } from '../../../proxy/src/core/positions.ts'
import { linesAround, type Source } from './source.ts'

/** A finding with its place. `fingerprint` stays when lines move and when other findings come or go on other lines. */
export interface Result {
  readonly path: string
  readonly finding: Finding
  readonly level: Level
  readonly start: Position
  readonly end: Position
  readonly fingerprint: string
}

export const ruleOf = (finding: Finding): Rule => rules[finding.rule]

export const resultsOf = (source: Source, findings: readonly Finding[]): readonly Result[] => {
  const place = positions(source.text)
  const counts = new Map<string, number>()
  return findings.map((finding) => {
    const lines = linesAround(source.text, {
      start: finding.start,
      end: Math.min(finding.end, finding.start + 500),
    })
      .replaceAll(/\s+/g, ' ')
      .slice(0, 2000)
    const key = `${finding.rule}\0${source.path}\0${lines}`
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    return {
      path: source.path,
      finding,
      level: finding.level ?? ruleOf(finding).level,
      start: place(finding.start),
      end: place(Math.max(finding.start, finding.end)),
      fingerprint: createHash('sha256').update(`${key}\0${count}`).digest('hex').slice(0, 32),
    }
  })
}
