import { afterAll, expect } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { charts } from '../charts.ts'
import { chartValues, pulled } from '../test/chart-values.ts'
import { found } from '../test/programs.ts'
import { unless } from '../test/unless.ts'
import { rendered } from './keys.ts'

const scratch = mkdtempSync(join(tmpdir(), 'postern-loki-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** On PATH, or as the tests of monitoring/ keep it. */
const program = (): string | undefined => {
  const kept = join(homedir(), '.cache/postern-loki')
  try {
    accessSync(kept, constants.X_OK)
    return statSync(kept).isFile() ? kept : found('loki')
  } catch {
    return found('loki')
  }
}

const [helm, loki] = [found('helm'), program()]
const chart = pulled(charts.loki)
const ready = helm !== undefined && loki !== undefined && existsSync(chart) ? { helm, loki } : undefined

unless(ready, `helm, Loki itself, or chart in ${chart}`)(
  'a real Loki takes the configuration that the chart makes for every cloud',
  () => {
    const values = chartValues().loki ?? []
    expect(values).toHaveLength(3)
    for (const one of values) {
      const text = rendered(
        { helm: ready?.helm ?? '', chart, release: 'loki', namespace: 'logging', scratch },
        one,
      )
      const configuration = parseAllDocuments(text)
        .map((document): unknown => document.getIn(['data', 'config.yaml']))
        .find((content) => typeof content === 'string')
      const file = join(scratch, 'config.yaml')
      writeFileSync(file, String(configuration))
      const args = [`-config.file=${file}`, '-verify-config']
      expect(() => execFileSync(ready?.loki ?? '', args, { stdio: 'pipe' })).not.toThrow()
    }
  },
  180_000,
)
