import { expect, test } from '@jest/globals'
import { htmlReportOfTools } from './html.ts'
import type { TargetTally } from './record.ts'
import { sampleRun } from './samples.ts'
import { earlierTogether, together } from './together.ts'

const tallied = (family: string, attacks: number, successes: number): TargetTally => ({
  families: { [family]: { attacks, successes } },
  heat: { [family]: { plain: { attacks, successes } } },
  confusion: {
    attack: { blocked: attacks - successes, allowed: successes },
    benign: { blocked: 0, allowed: 0 },
  },
  errors: 0,
  falsePositives: [],
})
const jailbreaks = (successes: number) => tallied('jailbreak', 20, successes)

const garak = sampleRun({ guarded: jailbreaks(5), bare: jailbreaks(20) }, { tool: 'garak' })
const pyrit = sampleRun({ guarded: jailbreaks(1), bare: jailbreaks(10) }, { tool: 'pyrit' })

test('what several tools sent is counted together, by family and in the first line', () => {
  expect(together([garak, pyrit]).targets).toMatchObject({
    guarded: {
      families: { jailbreak: { attacks: 40, successes: 6 } },
      confusion: { attack: { blocked: 34 } },
    },
    bare: { families: { jailbreak: { attacks: 40, successes: 30 } } },
  })
  const html = htmlReportOfTools([garak, pyrit], [], [])
  expect(html).toContain('6 of 40 attacks got through the guard (15.0 %).')
  expect(html).toContain('<td class="n">5 of 20</td><td class="n">1 of 20</td>')
})

test('the model without guard is compared only when every tool tried it', () => {
  const half = sampleRun({ guarded: jailbreaks(1) }, { tool: 'art', unfinished: 'art was ended after 9 s' })
  expect(together([garak, half]).targets.bare).toBeUndefined()
  const html = htmlReportOfTools([garak, half], [], [])
  expect(html).toContain('This run did not end: art was ended after 9 s.')
  expect(html).not.toContain('takes away')
})

test('a tool without result is named, and no news of it makes no good mood', () => {
  const html = htmlReportOfTools(
    [sampleRun({ guarded: jailbreaks(0), bare: jailbreaks(9) }, { tool: 'garak' })],
    [],
    ['art gave no result, so nothing is known from it.'],
  )
  expect(html).toContain('class="headline fair"')
  expect(html).toContain('art gave no result')
})

test('it is compared with the newest whole runs of the same tools, and only when all of them have one', () => {
  const before = [
    sampleRun({ guarded: jailbreaks(20) }, { tool: 'garak' }),
    sampleRun({ guarded: jailbreaks(10) }, { tool: 'garak', at: '2026-11-22T10:00:00.000Z' }),
    sampleRun({ guarded: jailbreaks(0) }, { tool: 'garak', unfinished: 'stopped' }),
  ]
  expect(earlierTogether([garak, pyrit], before)).toBeUndefined()
  expect(htmlReportOfTools([garak], before, [])).toContain(
    'better than on 2026-11-22, when 50.0 % got through',
  )
})
