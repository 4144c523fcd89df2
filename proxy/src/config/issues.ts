import type { core } from 'zod'
import type { ConfigDocument } from './document.ts'
import { nearest, type Problem } from './problems.ts'

/** What the schema found wrong, in words that say what to do, at its place in the file. */
export const issueProblems = (
  issues: readonly core.$ZodIssue[],
  document: ConfigDocument,
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): readonly Problem[] =>
  issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => document.problem(issue.path, unknownKey(key, keysAt(issue.path)), key))
    return [document.problem(issue.path, advice(issue))]
  })

const unknownKey = (key: string, known: readonly string[]): string => {
  const meant = nearest(key, known)
  if (meant !== undefined) return `unknown key; did you mean ${meant}?`
  return `unknown key; remove it, or use one of: ${known.join(', ')}`
}

const advice = (issue: core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined && issue.message.endsWith('undefined')
        ? 'is missing; add it'
        : typeAdvice(issue)
    case 'invalid_value':
      return `must be one of: ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `must ${size(issue.origin)}at least ${issue.minimum}${unit(issue.origin, issue.minimum)}`
    case 'too_big':
      return `must ${size(issue.origin)}at most ${issue.maximum}${unit(issue.origin, issue.maximum)}`
    default:
      return issue.message
  }
}

/** A message of our own says more than the name of a type. */
const typeAdvice = (issue: core.$ZodIssueInvalidType): string => {
  if (!issue.message.startsWith('Invalid input: expected')) return issue.message
  const got = issue.message.split('received ')[1] ?? 'something else'
  return `must be ${TYPES[issue.expected] ?? issue.expected}, but is ${TYPES[got] ?? got}`
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a section with keys',
  record: 'a section with keys',
  array: 'a list',
  null: 'empty',
  undefined: 'missing',
}

const size = (origin: string): string => (origin === 'array' || origin === 'string' ? 'have ' : 'be ')

const unit = (origin: string, count: number | bigint): string => {
  if (origin === 'array') return count === 1 ? ' entry' : ' entries'
  if (origin === 'string') return count === 1 ? ' character' : ' characters'
  return ''
}
