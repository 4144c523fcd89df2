import { expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

const SRC = resolve(import.meta.dirname, '../src')

/** What each folder may import from, itself included. Leaf folders see core and nothing else of ours. */
const MAY: Record<string, readonly string[]> = {
  core: ['core'],
  steps: ['steps', 'core', 'stream'],
  'guard.ts': ['steps', 'core'],
  endpoints: ['endpoints', 'steps', 'core'],
}
const LEAVES = [
  'server',
  'identity',
  'dialects',
  'limits',
  'policy',
  'scanners',
  'output',
  'text',
  'stream',
  'upstream',
  'audit',
  'telemetry',
  'config',
  'controller',
  'workload',
  'ui',
  'behaviour',
  'respond',
]
/** Core is types and pure functions: no package, and of Node only what computes or watches. */
const CORE_BUILTINS = ['node:buffer', 'node:fs', 'node:fs/promises', 'node:path', 'node:crypto', 'node:zlib']
const EDGE = ['cli.ts', 'cli', 'compose.ts', 'compose']

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .filter((name) => !/(^|[/\\])(generated|test)[/\\]/.test(name))

const importsOf = (file: string): readonly string[] =>
  [
    ...readFileSync(join(SRC, file), 'utf8').matchAll(
      /(?:^|\n)(?:import|export)\b[^'"]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'/g,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')

const target = (file: string, specifier: string): string =>
  relative(SRC, resolve(dirname(join(SRC, file)), specifier))

const folder = (path: string): string => path.split(sep)[0] ?? ''

test('every source file belongs to a folder that has an import rule', () => {
  const known = [...Object.keys(MAY), ...LEAVES, ...EDGE]
  expect([...new Set(files.map(folder))].filter((name) => !known.includes(name))).toEqual([])
})

test.each(files.filter((file) => !EDGE.includes(folder(file))))('%s imports only what it may', (file) => {
  const home = folder(file)
  const allowed = MAY[home] ?? [home, 'core']
  const ours = importsOf(file).filter((specifier) => specifier.startsWith('.'))
  expect(ours.filter((specifier) => !allowed.includes(folder(target(file, specifier))))).toEqual([])
})

test('core imports no package', () => {
  const foreign = files
    .filter((file) => folder(file) === 'core')
    .flatMap((file) =>
      importsOf(file).filter((name) => !name.startsWith('.') && !CORE_BUILTINS.includes(name)),
    )
  expect(foreign).toEqual([])
})

test('nothing imports the command line, and there is no cycle', () => {
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => target(file, name)),
    ]),
  )
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file]
    if (done.has(file)) return []
    done.add(file)
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...trail, file])
      if (cycle.length > 0) return cycle
    }
    return []
  }
  for (const file of files) expect(visit(file, [])).toEqual([])
  expect(
    [...graph.entries()]
      .filter(
        ([file, names]) =>
          folder(file) !== 'cli' && folder(file) !== 'cli.ts' && names.some((name) => name.startsWith('cli')),
      )
      .map(([file]) => file),
  ).toEqual([])
})
