import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { resolve } from 'node:path'
import { boards } from './dashboards/all.ts'
import {
  startControlledGuardMetrics,
  startControllerMetrics,
  type MadeUpMetrics,
} from './demo/controller-metrics.ts'
import { startDrifting, type Drifting } from './demo/drifting.ts'
import { isInstalled, startPrometheus, type Daemon } from './demo/prometheus.ts'
import { startRedteamMetrics, type RedteamMetrics } from './demo/redteam-metrics.ts'
import { startScene, type Scene } from './demo/scene.ts'
import { filledIn } from './demo/variables.ts'

const HAVE = isInstalled('prometheus')
const live = HAVE ? test : test.skip
const WHY = HAVE ? '' : ' (skipped: no prometheus on the PATH; Debian has it in the package prometheus)'

const RULES = resolve(import.meta.dirname, 'generated/rules/postern.rules.yaml')

let scene: Scene | undefined
let controller: MadeUpMetrics | undefined
let controlled: MadeUpMetrics | undefined
let drifting: Drifting | undefined
let redteam: RedteamMetrics | undefined
let prometheus: Daemon | undefined

beforeAll(async () => {
  if (!HAVE) return
  ;[scene, drifting] = await Promise.all([startScene(), startDrifting()])
  controller = await startControllerMetrics()
  controlled = await startControlledGuardMetrics()
  redteam = await startRedteamMetrics()
  prometheus = await startPrometheus({
    targets: [
      ...[scene.guard, drifting.guard].map(({ adminUrl }) => new URL(adminUrl).host),
      controlled.target,
    ],
    controllers: [controller.target],
    pushed: [redteam.target],
    ruleFiles: [RULES],
    interval: '1s',
  })
  const until = Date.now() + MOST_MS
  for (let rounds = 0; Date.now() < until && (rounds < LEAST_ROUNDS || !(await isTold())); rounds++) {
    controller.tick()
    controlled.tick()
    await Promise.all([scene.round(), drifting.round()])
    await sleep(1200)
  }
}, 300_000)

afterAll(async () => {
  await prometheus?.close()
  await controller?.close()
  await controlled?.close()
  await drifting?.close()
  await redteam?.close()
  await scene?.close()
})

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] }
}

const ask = async (query: string): Promise<Answer> => {
  const url = new URL('/api/v1/query', prometheus!.url)
  url.searchParams.set('query', query)
  return (await (await fetch(url)).json()) as Answer
}

const alertNames = async (): Promise<ReadonlySet<string>> => {
  const answer = (await (await fetch(`${prometheus!.url}/api/v1/alerts`)).json()) as {
    data: { alerts: { labels: { alertname: string } }[] }
  }
  return new Set(answer.data.alerts.map(({ labels }) => labels.alertname))
}

/** All that this traffic leads to: a guard compares groups every ten seconds, and drift takes more than one window. */
const isTold = async (): Promise<boolean> => {
  const judged = await ask('postern_behaviour_disparity_adverse == 1')
  const names = await alertNames()
  return (judged.data?.result.length ?? 0) > 0 && EXPECTED.every((name) => names.has(name))
}
const LEAST_ROUNDS = 6
const MOST_MS = 240_000

const panels = boards.flatMap((board) =>
  board.rows.flatMap((row) =>
    row.panels.flatMap((panel) =>
      panel.queries
        .filter(({ from }) => from === undefined)
        .map((query) => ({
          name: `${board.title} / ${panel.title} / ${query.legend}`,
          expr: filledIn(query.expr, board),
        })),
    ),
  ),
)

/** Keys in answers, a policy that does not load, a model that is not what it was, and groups that fare differently. */
const EXPECTED = [
  'PosternReloadFailed',
  'PosternSecretsInAnswers',
  'PosternModelDrifted',
  'PosternOutcomeDisparity',
]

live.each(panels)(`$name has numbers after demo traffic${WHY}`, async ({ expr }) => {
  const answer = await ask(expr)
  expect(answer).toMatchObject({ status: 'success' })
  const numbers = answer.data?.result.map(({ value }) => Number(value[1])).filter(Number.isFinite)
  expect(numbers).not.toEqual([])
})

live(`every rule is evaluated without an error${WHY}`, async () => {
  const answer = (await (await fetch(`${prometheus!.url}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
  }
  const rules = answer.data.groups.flatMap((group) => group.rules)
  expect(rules.length).toBeGreaterThan(40)
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
})

live(`no series has a label that names a caller or holds what one sent${WHY}`, async () => {
  const answer = (await (
    await fetch(`${prometheus!.url}/api/v1/series?match[]={__name__=~"postern_.*"}`)
  ).json()) as { data: Record<string, string>[] }
  const values = answer.data.flatMap((series) => Object.values(series))
  expect(values.length).toBeGreaterThan(100)
  expect(values.filter((value) => /user-1|acme|not-there|not-a-key|passwd/.test(value))).toEqual([])
})

live(`the alerts of this traffic fire or wait, and none about a guard that is well${WHY}`, async () => {
  const names = await alertNames()
  expect(EXPECTED.filter((name) => !names.has(name))).toEqual([])
  expect(
    [...names].filter((name) =>
      /Audit|NotReady|Scrape|Gone|CannotInspect|Availability|Controller/.test(name),
    ),
  ).toEqual([])
})
