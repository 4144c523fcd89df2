import { randomBytes } from 'node:crypto'
import { tables } from '../src/scanners/tables.ts'
import { compileScanner } from '../src/text/scanner.ts'

/**
 * How fast texts are scanned with every rule, in MB (10^6 UTF-16 units) per second of processor time, best of five rounds:
 * other work on the machine then counts as little as it can.
 */
const rate = (units: number, work: () => void): number => {
  const until = performance.now() + 300
  while (performance.now() < until) work()
  let best = 0
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    let times = 0
    let spent = 0
    while (spent < 100_000) {
      for (let i = 0; i < 16; i++) work()
      times += 16
      const { user, system } = process.cpuUsage(before)
      spent = user + system
    }
    best = Math.max(best, (units * times) / spent)
  }
  return best
}

/** One flat string, as a parser makes them: not a rope of pieces. */
const flat = (text: string): string => Buffer.from(text).toString()

const prose = flat(
  `I was thinking about how we could plan the trip to the mountains next summer; there are several places that we have not
yet visited, and the weather should be fine. Could you please write me a short list of things to pack, for instance warm
clothes, a good map, and some food for two days? My sister comes along with her two children, so the walks should not be
too long, and a lake to swim in would be welcome. Also tell me which trains run on Sunday and whether we need to book seats
in advance. Last year the journey took about six hours, because we missed a connection and had to wait in a small town with
nothing to do. If there is a bus from the station to the village, that would be easier than a taxi. What do you think about
renting bicycles there? The paths along the river looked flat enough in the pictures. `
    .repeat(20)
    .slice(0, 16_384),
)
const chat = flat(prose.slice(0, 1536))
const base64 = flat(randomBytes(6144).toString('base64'))

const started = performance.now()
const scanner = compileScanner({ name: 'bench', tables })
const compiled = performance.now() - started

const stream = (text: string, size: number): void => {
  const session = scanner.open(() => true)
  for (let at = 0; at < text.length; at += size) session.push(text.slice(at, at + size))
  session.end()
}

const rows: readonly (readonly [string, number, () => void])[] = [
  ['prose, 1.5 KB', chat.length, () => scanner.scan(chat)],
  ['prose, 16 KB', prose.length, () => scanner.scan(prose)],
  ['random base64, 8 KB', base64.length, () => scanner.scan(base64)],
  ['prose, 1.5 KB in pieces of 20', chat.length, () => stream(chat, 20)],
]

process.stdout.write(`${scanner.rules.size} rules, compiled in ${compiled.toFixed(0)} ms\n`)
for (const [name, units, work] of rows)
  process.stdout.write(`${name.padEnd(32)} ${rate(units, work).toFixed(1)} MB/s\n`)
