import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { node } from './read.ts'
import type { Vulnerability } from './vulnerability.ts'

/** A weakness that somebody looked at and lets pass for a time. */
export interface Exception {
  readonly id: string
  /** Every package when absent. */
  readonly package: string | undefined
  readonly reason: string
  /** Last day on which it counts, in UTC. */
  readonly until: string
}

const MAX_DAYS = 180
const MIN_REASON = 20 // characters
const DAY_MS = 86_400_000

/**
 * Reads `exceptions:` of a YAML file. Throws an Error with the entry's number and what to write when a reason or a day is missing, or the
 * day is more than 180 days away: an exception nobody looks at again is a hole.
 */
export const readExceptions = (file: string, today: Date): readonly Exception[] => {
  const document = node(parse(readFileSync(file, 'utf8'), { schema: 'core' }))
  if (!Array.isArray(document.at('exceptions').value))
    throw new Error(`${file}: has no list "exceptions"; write exceptions: [] for none`)
  return document
    .at('exceptions')
    .list()
    .map((entry, at) => {
      const wrong = (what: string): Error => new Error(`${file}: exception ${at + 1}: ${what}`)
      const unknown = entry.entries().find(([name]) => !['id', 'package', 'reason', 'until'].includes(name))
      if (unknown !== undefined) throw wrong(`does not know ${unknown[0]}`)
      const [id, reason, until] = ['id', 'reason', 'until'].map((name) => entry.at(name).text() ?? '')
      if (!id) throw wrong('name the weakness in id')
      if ((reason ?? '').trim().length < MIN_REASON)
        throw wrong(`say in reason why it does no harm here, in ${MIN_REASON} characters or more`)
      const last = /^\d{4}-\d{2}-\d{2}$/.test(until ?? '') ? Date.parse(`${until}T00:00:00Z`) : Number.NaN
      if (Number.isNaN(last)) throw wrong('write a day in until, such as 2026-12-31')
      if (last - today.getTime() > MAX_DAYS * DAY_MS)
        throw wrong(`until is more than ${MAX_DAYS} days away; look at it again before that`)
      return { id, package: entry.at('package').text(), reason: reason ?? '', until: until ?? '' }
    })
}

export const covers = (exception: Exception, { id, aliases, package: name }: Vulnerability): boolean =>
  [id, ...aliases].includes(exception.id) && (exception.package ?? name) === name

export const expired = ({ until }: Exception, today: Date): boolean =>
  Date.parse(`${until}T00:00:00Z`) + DAY_MS <= today.getTime()
