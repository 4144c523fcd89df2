import { dotted, leaves, type Value } from './values-file.ts'

/**
 * Problems of values against the templates that read them: declared and never read, or read and never declared.
 * Reading a section (`toYaml .Values.resources`, `with .Values.gateway`) counts for what is in it; that each single value changes
 * what is rendered is for the chart's tests to show (`unusedValues` in charts/test/helm.ts).
 */
export const usageProblems = (
  values: readonly Value[],
  templates: Readonly<Record<string, string>>,
): readonly string[] => {
  const read = Object.entries(templates).flatMap(([file, text]) =>
    references(text).map((path) => ({ file, path })),
  )
  const known = new Set(everything(values).map(({ path }) => dotted(path)))
  const open = new Set(
    leaves(values)
      .filter(isMapValue)
      .map(({ path }) => dotted(path)),
  )
  return [
    ...leaves(values)
      .filter(({ path }) => !read.some((other) => isPrefix(other.path, path) || isPrefix(path, other.path)))
      .map(({ path, line }) => `values.yaml line ${line}: no template reads ${dotted(path)}`),
    ...read
      .filter(
        ({ path }) =>
          path[0] !== 'global' && !known.has(dotted(path)) && !prefixes(path).some((up) => open.has(up)),
      )
      .map(({ file, path }) => `${file} reads .Values.${dotted(path)}, which values.yaml does not declare`),
  ]
}

const references = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/\.Values((?:\.[A-Za-z0-9_]+)+)/g)].map(([, path = '']) => path.slice(1).split('.'))

const everything = (values: readonly Value[]): readonly Value[] =>
  values.flatMap((value) => [value, ...everything(value.children)])

const isMapValue = ({ hint, fallback }: Value): boolean =>
  '$ref' in hint || 'additionalProperties' in hint || (typeof fallback === 'object' && fallback !== null)

const prefixes = (path: readonly string[]): readonly string[] =>
  path.map((_, length) => dotted(path.slice(0, length + 1)))

const isPrefix = (short: readonly string[], long: readonly string[]): boolean =>
  short.every((step, index) => long[index] === step)
