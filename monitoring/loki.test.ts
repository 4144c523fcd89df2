import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { boards } from './dashboards/all.ts'
import { askLoki, startLoki } from './demo/loki.ts'
import { findProgram } from './demo/programs.ts'
import type { Daemon } from './demo/prometheus.ts'
import { auditPusher } from './demo/push-audit.ts'
import { startScene, type Scene } from './demo/scene.ts'
import { filledIn } from './demo/variables.ts'

const PROGRAM = findProgram('loki')
const live = PROGRAM === undefined ? test.skip : test
const WHY =
  PROGRAM === undefined
    ? ' (skipped: no loki on the PATH, nor in the cache as postern-loki; monitoring/README.md says how)'
    : ''

let scene: Scene | undefined
let loki: Daemon | undefined

beforeAll(async () => {
  if (PROGRAM === undefined) return
  ;[scene, loki] = await Promise.all([startScene(), startLoki(PROGRAM)])
  for (let rounds = 0; rounds < 3; rounds++) await scene.round()
  await scene.guard.records()
  await auditPusher(scene.guard.auditFile, loki.url)()
}, 90_000)

afterAll(async () => {
  await loki?.close()
  await scene?.close()
})

const panels = boards.flatMap((board) =>
  board.rows.flatMap((row) =>
    row.panels.flatMap((panel) =>
      panel.queries
        .filter(({ from }) => from === 'loki')
        .map((query) => ({ name: `${board.title} / ${panel.title}`, expr: filledIn(query.expr, board) })),
    ),
  ),
)

live.each(panels)(`$name has records after demo traffic${WHY}`, async ({ expr }) => {
  expect((await askLoki(loki!.url, expr)).length).toBeGreaterThan(0)
})

live(`what Loki gives back is what the guard wrote, byte for byte${WHY}`, async () => {
  const streams = await askLoki(loki!.url, '{app="postern",stream="audit"}')
  const lines = streams
    .flatMap(({ values = [] }) => values)
    .toSorted(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1))
  const ids = lines.map(([, line]) => (JSON.parse(line) as { seq: number }).seq)
  expect(ids.length).toBeGreaterThan(50)
  expect(ids).toEqual(ids.map((_, at) => at + 1))
})

live(
  `Loki takes the rules and evaluates them without an error${WHY}`,
  async () => {
    const read = async () =>
      (
        (await (await fetch(`${loki!.url}/prometheus/api/v1/rules`)).json()) as {
          data: { groups: { rules: { name: string; health: string; lastError: string }[] }[] }
        }
      ).data.groups.flatMap(({ rules }) => rules)
    let rules = await read()
    for (let tries = 0; tries < 60 && rules.some(({ health }) => health === 'unknown'); tries++) {
      await sleep(500)
      rules = await read()
    }
    expect(rules.map(({ name }) => name).toSorted()).toEqual([
      'PosternAddressProbing',
      'PosternAuditBroken',
      'PosternCallerRefused',
      'PosternLogErrors',
    ])
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
  },
  60_000,
)
