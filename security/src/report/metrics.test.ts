import { expect, test } from '@jest/globals'
import { findProgram } from '../../../monitoring/demo/programs.ts'
import { startDaemon } from '../../../monitoring/demo/prometheus.ts'
import { secGroup, secMetrics } from '../../../monitoring/sec-metrics.ts'
import { groupAddress, metricsOf, push } from './metrics.ts'
import type { RunRecord } from './record.ts'
import { sampleRun } from './samples.ts'

const run = (more: Partial<RunRecord> = {}, successes = 6): RunRecord => {
  const guarded = {
    families: { jailbreak: { attacks: 100, successes } },
    heat: {},
    confusion: { attack: { blocked: 94, allowed: 6 }, benign: { blocked: 1, allowed: 39 } },
    errors: 0,
    falsePositives: [],
  }
  return sampleRun({ guarded }, more)
}

const AT = 'http://gateway:9091'
const path = (address: string, more: Partial<RunRecord> = {}): string =>
  groupAddress(address, run(more)).pathname

test('the gauges have the names and labels that monitoring knows', () => {
  const text = metricsOf(run())
  expect(text).toContain('postern_sec_run_timestamp_seconds{target="guarded"} 1795255200\n')
  expect(text).toContain('postern_sec_successes{target="guarded",family="jailbreak"} 6\n')
  expect(text).toContain('postern_sec_confusion{target="guarded",expected="benign",actual="blocked"} 1\n')
})

test('a replay tells of the replayed only: in a rate they would count twice', () => {
  const text = metricsOf(run({ replayed: { blocked: 3, allowed: 1 } }))
  expect(text).toContain('postern_sec_replayed{target="guarded",outcome="allowed"} 1\n')
  expect(text).not.toMatch(/postern_sec_(attacks|successes|confusion|run)/)
})

test('no label of the group is one of the metrics', () => {
  const own: readonly string[] = Object.values(secMetrics).flatMap(({ labels }) => [...labels])
  expect(secGroup.filter((label) => own.includes(label))).toEqual([])
})

test('tool, model and kind of run have a group each, below what the address names', () => {
  expect(path(AT)).toBe('/metrics/job/postern_sec/tool/postern/model/m/run/attack')
  expect(path(`${AT}/gateway/`, { tool: 'list:advbench', replayed: { blocked: 0, allowed: 0 } })).toBe(
    '/gateway/metrics/job/postern_sec/tool/list:advbench/model/m/run/replay',
  )
  expect(path(`${AT}/metrics/job/nightly/namespace/shop`)).toBe(
    '/metrics/job/nightly/namespace/shop/tool/postern/model/m/run/attack',
  )
  expect(path(`${AT}/metrics/job@base64/bmlnaHRseQ/model/chat`)).toBe(
    '/metrics/job@base64/bmlnaHRseQ/model/chat/tool/postern/run/attack',
  )
})

test('an address that names a label of the metrics is refused before anything is sent', async () => {
  const address = `${AT}/metrics/job/nightly/target@base64/c2hvcA`
  await expect(push(address, run())).rejects.toThrow('target is a label of the metrics themselves')
})

test.each([
  ['meta-llama/Llama-3.1-8B', 'model@base64/bWV0YS1sbGFtYS9MbGFtYS0zLjEtOEI'],
  ['..', 'model@base64/Li4'],
  ['', 'model@base64/='],
  ['a b?#%2f', 'model@base64/YSBiPyMlMmY'],
  ['\ud800', 'model@base64/77-9'],
  ['qwen3:8b', 'model/qwen3:8b'],
])('the model %j is one label: %s', (model, expected) => {
  expect(path(AT, { model })).toBe(`/metrics/job/postern_sec/tool/postern/${expected}/run/attack`)
})

test('a label is short, and two long names that differ at their end stay two', () => {
  const [a, b] = ['a', 'b'].map((end) => path(AT, { model: `${'x'.repeat(5000)}${end}` }))
  expect(a).not.toBe(b)
  expect(a?.length).toBeLessThan(300)
})

// Debian's name first.
const PROGRAM = findProgram('prometheus-pushgateway') ?? findProgram('pushgateway')
const real = PROGRAM === undefined ? test.skip : test
const WHY = PROGRAM === undefined ? ' (skipped: no prometheus-pushgateway or pushgateway on the PATH)' : ''

real(
  `a Pushgateway keeps the last run of each tool and model side by side${WHY}`,
  async () => {
    const gateway = await startDaemon({
      program: PROGRAM ?? '',
      files: () => ({}),
      args: (_, port) => [`--web.listen-address=127.0.0.1:${port}`],
      readyPath: '/-/ready',
    })
    try {
      const slashed = 'meta-llama/Llama "3"\\é'
      for (const record of [
        run({}, 6),
        run({ tool: 'garak' }, 3),
        run({ tool: 'promptfoo', model: slashed }, 2),
        run({ tool: 'list:a b/c.csv', model: '..' }, 1),
        run({ replayed: { blocked: 3, allowed: 1 } }),
        run({}, 4),
      ])
        await push(gateway.url, record)
      const text = await (await fetch(`${gateway.url}/metrics`)).text()
      const found = [...text.matchAll(/^postern_sec_(?:successes|replayed)\{(.*)\} (\d+)$/gm)]
        .map(([, labels = '', value]) => [
          labels.replaceAll(/(?:family|instance|job|target)="[^"]*",?/g, ''),
          value,
        ])
        .toSorted()
      expect(found).toEqual(
        [
          ['model="m",outcome="allowed",run="replay",tool="postern"', '1'],
          ['model="m",outcome="blocked",run="replay",tool="postern"', '3'],
          ['model="m",run="attack",tool="postern"', '4'],
          ['model="m",run="attack",tool="garak"', '3'],
          ['model="meta-llama/Llama \\"3\\"\\\\é",run="attack",tool="promptfoo"', '2'],
          ['model="..",run="attack",tool="list:a b/c.csv"', '1'],
        ]
          .map(([labels = '', value]) => [`${labels},`.replace(/,$/, ''), value])
          .toSorted(),
      )
    } finally {
      await gateway.close()
    }
  },
  60_000,
)
