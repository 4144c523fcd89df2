import { listed, value } from './read.ts'
import type { Rule } from './visit.ts'

/** The attribute must be exactly this: what is left out has the cloud's default, which is often public. */
export const must =
  (path: readonly string[], wanted: boolean | string | number): Rule =>
  ({ attributes }) =>
    value(attributes, ...path) === wanted ? undefined : `set ${path.join('.')} to ${JSON.stringify(wanted)}.`

/** The first thing that is wrong. */
export const all =
  (...rules: readonly Rule[]): Rule =>
  (resource) =>
    rules.map((rule) => rule(resource)).find((problem) => problem !== undefined)

/** The attribute must not be there. */
export const absent =
  (name: string, remedy: string): Rule =>
  ({ attributes }) =>
    listed(attributes[name]).length > 0 ? remedy : undefined
