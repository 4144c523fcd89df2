import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Chart, charts } from '../charts.ts'
import type { Values } from '../environment.ts'
import { chartValues, keysOf, pulled } from '../test/chart-values.ts'
import { found } from '../test/programs.ts'
import { unless } from '../test/unless.ts'
import { leaves, type Rendering, rendered, unknownKeys } from './keys.ts'

const verified = JSON.parse(
  readFileSync(join(import.meta.dirname, 'verified-keys.json'), 'utf8'),
) as Readonly<Record<string, { readonly version: string; readonly keys: readonly string[] }>>
const helm = found('helm')
const scratch = mkdtempSync(join(tmpdir(), 'postern-keys-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let values: Readonly<Record<string, readonly Values[]>> = {}
beforeAll(() => {
  values = chartValues()
}, 60_000)

describe.each(Object.entries<Chart>(charts))('%s', (name, chart) => {
  test('every value we set was seen to have an effect at this version; else run verify-keys.ts --write', () => {
    expect(verified[name]).toEqual({ version: chart.version, keys: keysOf(values[name] ?? []) })
  })

  const ready = existsSync(pulled(chart)) ? helm : undefined
  const real = unless(ready, `helm, or no chart in ${pulled(chart)}`)
  const rendering: Rendering = {
    helm: ready ?? '',
    chart: pulled(chart),
    release: name,
    namespace: chart.namespace,
    scratch,
  }

  real(
    'the chart knows every value we set',
    () => {
      expect(unknownKeys(rendering, values[name] ?? [])).toEqual([])
    },
    900_000,
  )

  real(
    'the chart takes our values together, and opens nothing to the outside',
    () => {
      for (const one of values[name] ?? []) {
        const text = rendered(rendering, one)
        expect(text).toMatch(/^kind: /m)
        expect(text).not.toMatch(/^ *type: "?(LoadBalancer|NodePort)"?$/m)
        expect(text).not.toMatch(/^kind: "?(Ingress|Gateway|HTTPRoute)"?$/m)
      }
    },
    120_000,
  )
})

test('a value has one path, and what is passed on as it is counts as one', () => {
  expect(leaves({ a: { b: 1, c: [1] }, d: {}, grafana: { 'grafana.ini': { x: 1, y: 2 } } })).toEqual([
    ['a', 'b'],
    ['a', 'c'],
    ['d'],
    ['grafana', 'grafana.ini'],
  ])
})

unless(helm, 'helm')('a value that a chart does not know is told, and one that it knows is not', () => {
  const chart = join(scratch, 'planted')
  mkdirSync(join(chart, 'templates'), { recursive: true })
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: planted\nversion: 1.0.0\n')
  writeFileSync(
    join(chart, 'templates/map.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\ndata: { known: {{ .Values.known | quote }} }\n',
  )
  const rendering: Rendering = { helm: helm ?? '', chart, release: 'x', namespace: 'x', scratch }
  expect(unknownKeys(rendering, [{ known: 'a', unknwon: { b: 'c' } }])).toEqual(['unknwon.b'])
})
