import type { RegoFile } from './collect.ts'
import type { OpaResult } from './opa.ts'
import type { Problem } from './problem.ts'

/** Files as they are staged for OPA, by their path there. */
export type StagedRego = ReadonlyMap<string, RegoFile>

const MAX_PROBLEMS = 16

interface OpaError {
  readonly message: string
  readonly location?: { readonly file: string; readonly row: number }
}

/** Problems in what `opa check --format json` says; none when it found none. */
export const checkProblems = (result: OpaResult, staged: StagedRego): readonly Problem[] => {
  if (result.code === 0) return []
  const found = parse(result.stdout) ?? parse(result.stderr)
  const errors = (found as { readonly errors?: readonly OpaError[] } | undefined)?.errors ?? []
  if (errors.length === 0) return [textProblem(result.stderr || result.stdout, staged)]
  return errors.slice(0, MAX_PROBLEMS).map((error) => errorProblem(error, staged))
}

interface OpaTest {
  readonly name: string
  readonly location?: { readonly file: string; readonly row: number }
  readonly fail?: boolean
  readonly error?: unknown
}

/** Tests of the teams that `opa test --format json` says fail. Those of the base may: a policy of a team is there to change something. */
export const testProblems = (result: OpaResult, staged: StagedRego): readonly Problem[] => {
  const tests = parse(result.stdout) as readonly OpaTest[] | undefined
  if (!Array.isArray(tests)) return [textProblem(result.stderr || result.stdout, staged)]
  return (tests as readonly OpaTest[])
    .flatMap(({ name, location, fail, error }) => {
      const file = staged.get(location?.file ?? '')
      const words =
        fail === true ? 'fails' : error === undefined ? undefined : 'ends with an error or too late'
      if (file === undefined || words === undefined) return []
      return [{ ...blame('test_failed', file, location?.row), message: `${name} ${words}` }]
    })
    .slice(0, MAX_PROBLEMS)
}

/** What `opa build` says when it fails, which is text. */
export const textProblem = (text: string, staged: StagedRego): Problem => {
  const outside = /'package ([^']{1,200})' in module '([^']{1,600})'/.exec(text)
  const culprit = staged.get(outside?.[2] ?? '')
  if (outside !== null && culprit !== undefined) {
    return {
      ...blame('rego_invalid', culprit, packageLine(culprit.text)),
      message: `package ${outside[1] ?? ''} is outside of package postern; write package postern.rules.NAME`,
    }
  }
  return (
    mentioned(text, staged) ?? {
      code: 'rego_invalid',
      message: firstLine(text) || 'OPA refuses the policies without a reason',
    }
  )
}

/** A file of the teams that the text names with its row: `FILE:ROW: what`, or `what at FILE:ROW`. */
const mentioned = (text: string, staged: StagedRego): Problem | undefined => {
  for (const [path, file] of staged) {
    const at = text.indexOf(`${path}:`)
    const row = /^(\d{1,7})(?::\s*)?/.exec(at < 0 ? '' : text.slice(at + path.length + 1))
    if (row === null) continue
    const after = firstLine(text.slice(at + path.length + 1 + row[0].length))
    const message = after || firstLine(text.slice(0, at) + 'here')
    return { ...blame('rego_invalid', file, Number(row[1])), message }
  }
  return undefined
}

const errorProblem = ({ message, location }: OpaError, staged: StagedRego): Problem => {
  const file = staged.get(location?.file ?? '')
  if (file !== undefined) {
    return { ...blame('rego_invalid', file, location?.row), message: explained(message) }
  }
  // Rules that do not go together may be reported where the base has its part.
  const said = textProblem(message, staged)
  const place =
    location === undefined || said.configMap !== undefined ? '' : ` (${location.file}:${location.row})`
  return { ...said, message: `${said.message}${place}` }
}

const explained = (message: string): string => {
  const [, name] = /^undefined function (\S{1,100})$/.exec(message) ?? []
  return name === undefined
    ? firstLine(message)
    : `undefined function ${name}: guards do not have it; there is no clock, no random source and no network in a policy`
}

const blame = (
  code: Problem['code'],
  file: RegoFile,
  line: number | undefined,
): Omit<Problem, 'message'> => ({
  code,
  configMap: file.configMap,
  key: file.key,
  ...(line === undefined ? {} : { line }),
})

const packageLine = (text: string): number | undefined => {
  const line = text.split('\n').findIndex((row) => row.startsWith('package '))
  return line < 0 ? undefined : line + 1
}

const firstLine = (text: string): string =>
  text
    .split('\n')
    .map((row) => row.trim())
    .find((row) => row !== '' && !/^\d+ errors? occurred/.test(row)) ?? ''

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
