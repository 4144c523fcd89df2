import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseBaseline } from '../../proxy/src/behaviour/baseline.ts'
import { behaviour, type BehaviourOptions } from '../../proxy/src/behaviour/behaviour.ts'
import type { ExchangeFacts } from '../../proxy/src/core/behaviour.ts'
import { noLog } from '../../proxy/src/core/log.ts'
import { noMeter } from '../../proxy/src/core/metrics.ts'
import { promMeter } from '../../proxy/src/telemetry/metrics.ts'

export interface BehaviourMetrics {
  /** `host:port` of what Prometheus scrapes. */
  readonly target: string
  /** A window of traffic: of a model that answers longer and less surely than its baseline, and says no more often. */
  tick(): void
  close(): Promise<void>
}

const WINDOW = 200

/** The real watcher and the real meter, with made-up exchanges: a demo model has no moods. */
export const startBehaviourMetrics = async (): Promise<BehaviourMetrics> => {
  const meter = promMeter({ maxSeries: 1000, processMetrics: false, only: 'postern_behaviour_' })
  const instruments = { log: noLog, now: () => new Date() }
  const learning = behaviour(OPTIONS, { ...instruments, meter: noMeter })
  for (let at = 0; at < 2000; at++) learning.seen(usual(at))
  const baseline = parseBaseline(learning.snapshot(), 'demo')
  const watched = behaviour({ ...OPTIONS, baseline }, { ...instruments, meter })
  const server = createServer((_request, response) => {
    void meter
      .expose()
      .then((text) => response.writeHead(200, { 'content-type': meter.contentType }).end(text))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  let at = 0
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    tick: () => {
      for (const end = at + WINDOW; at < end; at++) watched.seen(changed(at))
      watched.tick(at * 100)
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const OPTIONS: BehaviourOptions = {
  models: ['demo-small'],
  tenants: ['north', 'south'],
  roles: ['user', 'developer'],
  tools: ['search', 'read_file'],
  entropyThresholdBits: 1.5,
  baseline: undefined,
  window: { exchanges: WINDOW / 2, ms: 3_600_000 },
  groups: [{ name: 'region', by: 'tenant', groups: { north: ['north'], south: ['south'] } }],
  groupWindowMs: 86_400_000,
  maxKeys: 1000,
  intervalMs: 1000,
  leastRate: 5,
}

const usual = (at: number): ExchangeFacts => ({
  at: at * 100,
  model: 'demo-small',
  tenant: at % 2 === 0 ? 'north' : 'south',
  caller: `caller-${at % 20}`,
  roles: [at % 3 === 0 ? 'developer' : 'user'],
  scopes: [],
  client: `10.0.0.${at % 20}`,
  outcome: at % 50 === 0 ? 'refused' : 'allowed',
  rules: at % 25 === 0 ? ['email-address'] : [],
  offered: ['search', 'read_file'],
  answer: {
    characters: 100 + ((at * 131) % 900),
    entropy: { tokens: 50, mean: 0.2 + ((at * 17) % 100) / 100, max: 3 },
    language: at % 10 === 0 ? 'de' : 'en',
    declined: at % 30 === 0,
    called: at % 4 === 0 ? [{ name: at % 8 === 0 ? 'search' : 'read_file', arguments: ['query'] }] : [],
  },
})

/** As usual, with what each panel shows: drift, unsure answers, tools and addresses that are new, a burst of one caller. */
const changed = (at: number): ExchangeFacts => {
  const before = usual(at)
  const burst = at % WINDOW >= WINDOW - 30
  return {
    ...before,
    at: burst ? (at - (at % WINDOW) + WINDOW - 30) * 100 : before.at,
    caller: burst ? 'caller-1' : before.caller,
    client: burst ? `10.1.${at >> 8}.${at & 255}` : before.client,
    outcome: burst || (before.tenant === 'south' && at % 5 < 2) ? 'refused' : before.outcome,
    answer: {
      characters: 600 + ((at * 131) % 6000),
      entropy: { tokens: 50, mean: 0.6 + ((at * 17) % 200) / 100, max: 5 },
      language: 'en',
      declined: at % 6 === 0,
      called:
        at % 5 === 0 ? [{ name: `tool_${at % 60}`, arguments: ['path'] }] : (before.answer?.called ?? []),
    },
  }
}
