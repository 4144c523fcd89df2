import { analyse, settle, type Cleared } from './analyse.ts'
import type { Finding } from './finding.ts'
import { createLinks } from './links.ts'
import { resultsOf, type Result } from './result.ts'
import type { RuleId } from './rules.ts'
import { isMarked, suppress } from './suppress.ts'
import { readSource, walk } from './walk.ts'

export interface LintOptions {
  readonly exclude: readonly string[]
  readonly maxFiles: number
}

export interface Linted {
  readonly files: number
  readonly results: readonly Result[]
  /** Files that could not be judged, and why. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

const MAX_BYTES = 1 << 20

/**
 * Every finding under the paths; flows are followed from file to file among them. Throws an Error for a path that is not
 * there.
 */
export const lint = (paths: readonly string[], options: LintOptions): Linted => {
  const walked = walk(paths, { ...options, maxBytes: MAX_BYTES })
  const skipped = [...walked.skipped]
  const links = createLinks({ paths: walked.files, read: readSource })
  const found = new Map<string, Place>()
  const placeOf = (path: string): Place => {
    const known = found.get(path) ?? { findings: [], cleared: [], isMarked: false }
    found.set(path, known)
    return known
  }
  for (const path of walked.files) {
    const source = readSource(path)
    if (source === undefined) {
      skipped.push({ path, why: 'not UTF-8 text' })
      continue
    }
    if (isMarked(source.text)) placeOf(path).isMarked = true
    try {
      const { findings, cleared } = analyse(source, links)
      for (const finding of findings) placeOf(finding.path ?? path).findings.push(finding)
      for (const one of cleared) placeOf(one.path).cleared.push(one)
    } catch (error) {
      skipped.push({ path, why: `not understood: ${reasonOf(error)}` })
    }
  }
  const results = walked.files.flatMap((path) =>
    resultsAt(path, found.get(path.replaceAll('\\', '/')) ?? found.get(path)),
  )
  return { files: walked.files.length, results, skipped }
}

/** What is known of one file once all are read. */
interface Place {
  readonly findings: Finding[]
  readonly cleared: Cleared[]
  isMarked: boolean
}

/** The file is read again, so that the texts of all files need not be kept. */
const resultsAt = (path: string, place: Place | undefined): readonly Result[] => {
  if (place === undefined || (place.findings.length === 0 && !place.isMarked)) return []
  const source = readSource(path)
  return source === undefined
    ? []
    : resultsOf(
        source,
        suppress(source.text, settle(place.findings, place.cleared)).filter(
          ({ rule }) => !isTest(path) || !FIXTURES.includes(rule),
        ),
      )
}

/** By the conventions of pytest, Jest, Vitest and Mocha for single files. */
const isTest = (path: string): boolean =>
  /(?:^|[/\\])(?:test_[^/\\]*\.py|conftest\.py|[^/\\]*_test\.py|[^/\\]*\.(?:test|spec)\.[cm]?[jt]sx?|__(?:tests|fixtures|mocks)__[/\\].*)$/.test(
    path,
  )

/** What in a test is a sample that no model of the product sees. What runs there, and what leaks, is found there too. */
const FIXTURES: readonly RuleId[] = [
  'untrusted-in-system-prompt',
  'no-delimiters',
  'no-scope',
  'secrecy-as-control',
  'access-rules-in-prompt',
  'open-tool-schema',
  'wildcard-tool-schema',
  'wildcard-tools',
  'shell-tool',
  'code-tool',
  'raw-sql-tool',
  'file-write-tool',
  'any-url-tool',
  'write-without-human',
  'unbounded-agent',
  'unpinned-model',
  'undeclared-variable',
  'unused-variable',
]

const reasonOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown'
