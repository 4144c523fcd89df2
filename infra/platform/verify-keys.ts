import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Chart, charts } from '../charts.ts'
import { chartValues, keysOf, pulled } from '../test/chart-values.ts'
import { found } from '../test/programs.ts'
import { unknownKeys } from './keys.ts'

/** Renders every chart of others with and without each value we set, and with `--write` keeps the list of those that had an effect. */
const verify = (helm: string, scratch: string): string[] => {
  const values = chartValues()
  return Object.entries<Chart>(charts).flatMap(([release, chart]) => {
    const { namespace, version, repository } = chart
    const folder = pulled(chart)
    if (!existsSync(folder))
      return [
        `${release}: there is no chart; helm pull ${chart.chart} --repo ${repository} --version ${version} --untar --untardir ${join(folder, '..')}`,
      ]
    return unknownKeys({ helm, chart: folder, release, namespace, scratch }, values[release] ?? []).map(
      (key) => `${release} ${version} does not know ${key}: write what it knows, or take it away.`,
    )
  })
}

const helm = found('helm')
const scratch = mkdtempSync(join(tmpdir(), 'postern-keys-'))
const problems = helm === undefined ? ['Install helm.'] : verify(helm, scratch)
rmSync(scratch, { recursive: true, force: true })
for (const problem of problems) process.stderr.write(`${problem}\n`)
if (problems.length > 0) process.exitCode = 1
else if (process.argv.includes('--write')) {
  const values = chartValues()
  const list = Object.entries<Chart>(charts).map(([name, { version }]) => [
    name,
    { version, keys: keysOf(values[name] ?? []) },
  ])
  writeFileSync(
    join(import.meta.dirname, 'verified-keys.json'),
    `${JSON.stringify(Object.fromEntries(list), null, 2)}\n`,
  )
}
