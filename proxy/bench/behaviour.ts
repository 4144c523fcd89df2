import { behaviour } from '../src/behaviour/behaviour.ts'
import { parseBaseline } from '../src/behaviour/baseline.ts'
import { tokenEntropy } from '../src/behaviour/entropy.ts'
import type { ExchangeFacts } from '../src/core/behaviour.ts'
import { noLog } from '../src/core/log.ts'
import { promMeter } from '../src/telemetry/metrics.ts'

/** What watching behaviour costs an exchange, in microseconds of processor time, best of five rounds. */
const micros = (times: number, work: (at: number) => void): number => {
  let best = Infinity
  let at = 0
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < times; i++) work(at++)
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / times)
  }
  return best
}

const CALLERS = 2000
const facts = (at: number): ExchangeFacts => ({
  at: at * 3,
  model: at % 2 === 0 ? 'small' : 'large',
  tenant: at % 3 === 0 ? 'acme' : 'umbrella',
  caller: `user-${(at * 7919) % CALLERS}`,
  roles: ['developer', 'user'],
  scopes: ['chat'],
  client: `10.0.${((at * 7919) % CALLERS) >> 7}.${(at * 7919) & 127}`,
  outcome: at % 50 === 0 ? 'refused' : 'allowed',
  rules: at % 10 === 0 ? ['email', 'iban'] : [],
  offered: ['search', 'read'],
  answer: {
    characters: 200 + ((at * 37) % 3000),
    entropy: { tokens: 50, mean: (at % 100) / 60, max: 3 },
    language: 'en',
    declined: at % 40 === 0,
    called: at % 4 === 0 ? [{ name: 'search', arguments: ['query', 'limit'] }] : [],
  },
})

const watch = (baseline?: ReturnType<typeof parseBaseline>) =>
  behaviour(
    {
      models: ['small', 'large'],
      tenants: ['acme', 'umbrella'],
      roles: ['developer', 'user'],
      tools: ['search', 'read'],
      entropyThresholdBits: 2,
      baseline,
      window: { exchanges: 1000, ms: 3_600_000 },
      groups: [{ name: 'region', by: 'tenant', groups: { a: ['acme'], b: ['umbrella'] } }],
      groupWindowMs: 86_400_000,
      maxKeys: 10_000,
      intervalMs: 60_000,
      leastRate: 60,
    },
    {
      meter: promMeter({ maxSeries: 1000, processMetrics: false }),
      log: noLog,
      now: () => new Date(),
    },
  )

const made = Array.from({ length: 50_000 }, (_, at) => facts(at))
const learning = watch()
for (const one of made.slice(0, 10_000)) learning.seen(one)
const watched = watch(parseBaseline(learning.snapshot(), 'bench'))
const seen = micros(200_000, (at) => watched.seen(made[at % made.length]!))
const flooded = micros(200_000, (at) =>
  watched.seen({ ...made[at % made.length]!, client: `10.${at & 0xffffff}` }),
)

const sentence =
  'The quarterly report says that revenue grew by 12 percent, mostly in the north, and that costs fell. '
const pieces = Array.from({ length: 64 }, (_, at) => sentence.slice((at * 7) % 80, ((at * 7) % 80) + 20))
const answer = micros(20_000, () => {
  const sample = watched.sample()
  for (const piece of pieces) sample.text(piece, 0)
  sample.facts()
})
const top = [0.6, 0.2, 0.1, 0.05, 0.02].map((share, at) => ({ token: `t${at}`, logprob: Math.log(share) }))
const token = micros(200_000, () => tokenEntropy({ token: 't0', logprob: top[0]!.logprob, top }))

process.stdout.write(
  [
    `one exchange seen                          ${seen.toFixed(2)} us`,
    `the same, each from an address of its own  ${flooded.toFixed(2)} us`,
    `one answer sampled, 64 pieces of 20        ${answer.toFixed(2)} us`,
    `entropy of one token, 5 alternatives       ${token.toFixed(2)} us`,
    '',
  ].join('\n'),
)
