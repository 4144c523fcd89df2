/**
 * What is wrong with the policies, for the person who wrote them. `code` goes into the status annotation:
 * `data_invalid`, `data_conflict`, `rego_invalid` and so on; `tool_failed` is nobody's fault and is tried again.
 */
export interface Problem {
  readonly code: ProblemCode
  /** Name of the ConfigMap that has to be corrected; absent when none is to blame. */
  readonly configMap?: string
  readonly key?: string
  /** Counted from 1. */
  readonly line?: number
  /** A sentence without the place. */
  readonly message: string
}

export type ProblemCode =
  | 'key_unknown'
  | 'too_large'
  | 'data_invalid'
  | 'data_conflict'
  | 'rego_invalid'
  | 'test_failed'
  | 'bundle_invalid'
  | 'tool_failed'

/** Characters of a message; an Event takes 1024. */
const MAX_MESSAGE = 700

/** `key admin.rego, line 5: undefined function http.send` */
export const placed = ({ key, line, message }: Problem): string => {
  const place = [
    ...(key === undefined ? [] : [`key ${key}`]),
    ...(line === undefined ? [] : [`line ${line}`]),
  ]
  const text = place.length === 0 ? message : `${place.join(', ')}: ${message}`
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : text
}
