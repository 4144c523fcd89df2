import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { stringify } from 'yaml'
import { boards } from './dashboards/all.ts'
import { dashboardOf } from './dashboards/render.ts'
import { savedObjects } from './kibana/objects.ts'
import { elasticsearchRequests } from './kibana/templates.ts'
import { demo } from './llmsecops_demo/board.ts'
import { groups } from './rules/all.ts'
import { ruleFile } from './rules/render.ts'

const GENERATED = join(import.meta.dirname, 'generated')
const HEADER = '# Made by monitoring/build.ts; change monitoring/rules and run it again.\n'

/** Every generated file: path below monitoring/generated, and content. */
export const outputs = (): ReadonlyMap<string, string> => {
  const rules = stringify(ruleFile(groups), { lineWidth: 0 })
  return new Map([
    ...boards.map((board): [string, string] => [
      `dashboards/${board.uid}.json`,
      `${JSON.stringify(dashboardOf(board), null, 2)}\n`,
    ]),
    ['demo/postern-llmsecops-demo.json', `${JSON.stringify(dashboardOf(demo), null, 2)}\n`],
    ['rules/postern.rules.yaml', `${HEADER}${rules}`],
    ...[...elasticsearchRequests()].map(([path, body]): [string, string] => [
      `elasticsearch/${path.replaceAll('/', '.').slice(1)}.json`,
      `${JSON.stringify(body, null, 2)}\n`,
    ]),
    [
      'kibana/postern.ndjson',
      savedObjects()
        .map((object) => `${JSON.stringify(object)}\n`)
        .join(''),
    ],
  ])
}

/** Generated files that are missing, stale or left over. */
export const stale = (): readonly string[] => {
  const wanted = outputs()
  const present = readdirSync(GENERATED, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(GENERATED, join(entry.parentPath, entry.name)))
  return [
    ...[...wanted]
      .filter(([path, content]) => !present.includes(path) || read(path) !== content)
      .map(([path]) => path),
    ...present.filter((path) => !wanted.has(path)),
  ]
}

const read = (path: string): string => readFileSync(join(GENERATED, path), 'utf8')

const write = (): void => {
  rmSync(GENERATED, { recursive: true, force: true })
  for (const [path, content] of outputs()) {
    mkdirSync(dirname(join(GENERATED, path)), { recursive: true })
    writeFileSync(join(GENERATED, path), content)
  }
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const wrong = stale()
    if (wrong.length > 0) {
      process.stderr.write(
        `monitoring/generated is not what the sources say: ${wrong.join(', ')}; run node monitoring/build.ts\n`,
      )
      process.exitCode = 1
    }
  } else write()
}
