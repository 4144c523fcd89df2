import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { valuesSchema } from './schema.ts'
import { withTable } from './table.ts'
import { usageProblems } from './usage.ts'
import { ChartError, readValues } from './values-file.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Writes what is generated in every chart; with `--check` only compares. Returns the exit status. */
export const main = (args: readonly string[]): number => {
  const [mode] = args
  if (args.length > 1 || (mode !== undefined && mode !== '--check')) {
    process.stderr.write('usage: node charts/build.mjs [--check]\n')
    return 2
  }
  const problems = charts().flatMap((chart) => buildChart(chart, mode === '--check'))
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  return problems.length > 0 ? 1 : 0
}

/** Folders of the charts. */
export const charts = (): readonly string[] =>
  readdirSync(join(root, 'charts'))
    .map((name) => join(root, 'charts', name))
    .filter((folder) => existsSync(join(folder, 'Chart.yaml')) && existsSync(join(folder, 'values.yaml')))

/** What the chart's generated files should be, by path, and what is wrong with its values. Throws ChartError. */
export const generated = (
  chart: string,
): { files: ReadonlyMap<string, string>; problems: readonly string[] } => {
  const { name } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as { name: string }
  const values = readValues(readFileSync(join(chart, 'values.yaml'), 'utf8'))
  const files = new Map<string, string>()
  files.set(
    join(chart, 'values.schema.json'),
    `${JSON.stringify(valuesSchema(values, `Values of the chart ${name}`), null, 2)}\n`,
  )
  const readme = join(chart, 'README.md')
  files.set(readme, withTable(existsSync(readme) ? readFileSync(readme, 'utf8') : '', values))
  for (const [file, text] of copies(chart)) files.set(file, text)
  const templates = Object.fromEntries(
    filesBelow(join(chart, 'templates')).map((file) => [relative(chart, file), readFileSync(file, 'utf8')]),
  )
  return { files, problems: usageProblems(values, templates) }
}

const buildChart = (chart: string, check: boolean): readonly string[] => {
  const at = relative(root, chart)
  try {
    const { files, problems } = generated(chart)
    const stray = copied(chart).filter((file) => !files.has(file))
    const stale = [...files].filter(
      ([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text,
    )
    if (check)
      return [
        ...problems.map((problem) => `${at}: ${problem}`),
        ...[...stale.map(([file]) => file), ...stray].map(
          (file) => `${relative(root, file)} is stale: run node charts/build.mjs`,
        ),
      ]
    for (const [file, text] of stale) write(file, text)
    for (const file of stray) rmSync(file)
    return problems.map((problem) => `${at}: ${problem}`)
  } catch (error) {
    if (error instanceof ChartError) return error.problems.map((problem) => `${at}: ${problem}`)
    throw error
  }
}

const write = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/**
 * A chart can only read files inside itself, so it has copies of what monitoring/ makes. `copies.yaml` in the chart names them:
 * a folder or file of the chart, and the folder or file of the repository that it is a copy of.
 */
const copies = (chart: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const [to, from] of Object.entries(copyList(chart)))
    for (const file of filesBelow(join(root, from)))
      found.set(join(chart, to, relative(join(root, from), file)), readFileSync(file, 'utf8'))
  return found
}

const copied = (chart: string): readonly string[] =>
  Object.entries(copyList(chart))
    .filter(([, from]) => existsSync(join(root, from)))
    .flatMap(([to]) => filesBelow(join(chart, to)))

const copyList = (chart: string): Readonly<Record<string, string>> => {
  const file = join(chart, 'copies.yaml')
  return existsSync(file) ? (parse(readFileSync(file, 'utf8')) as Record<string, string>) : {}
}

/** Of a file itself. */
const filesBelow = (at: string): readonly string[] => {
  if (!existsSync(at)) return []
  if (statSync(at).isFile()) return [at]
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
