import { readFileSync } from 'node:fs'
import { everyResource } from './visit.ts'

/**
 * Types of which somebody said whether they can be reached from outside and whether they keep data. The rules of the other aspects and of
 * the policies are for these; of all others they know nothing, so no stack may have one. The policies read the same file.
 */
const REVIEWED: ReadonlySet<string> = new Set(
  (
    JSON.parse(readFileSync(new URL('../policies/reviewed.json', import.meta.url), 'utf8')) as {
      readonly reviewed_types: readonly string[]
    }
  ).reviewed_types,
)

/** An aspect: a resource of a type that nobody has looked at is an error. */
export const reviewedOnly = everyResource(({ type }) =>
  REVIEWED.has(type)
    ? undefined
    : 'nobody has said whether it can be public or keeps data: add its rules to aspects/ and policies/, then the type to policies/reviewed.json.',
)
