import { watchDecisions } from '../src/ui/seen.ts'
import { finding, record, refused } from '../src/ui/test/samples.ts'

/** What one exchange costs the page for people: prints microseconds for three kinds of record, and milliseconds for all charts. */
const watch = watchDecisions({ size: 1000, plainPath: (path) => path })
const kinds = {
  plain: () => record(),
  refused: () => refused(),
  'ten findings': () =>
    refused({ findings: Array.from({ length: 10 }, (_, i) => finding({ path: `/messages/${i}/content` })) }),
}
for (const [name, make] of Object.entries(kinds)) {
  const records = Array.from({ length: 100_000 }, make)
  for (const one of records.slice(0, 20_000)) watch.seen(one)
  const begin = performance.now()
  for (const one of records) watch.seen(one)
  const us = ((performance.now() - begin) * 1000) / records.length
  process.stdout.write(`${name.padEnd(14)} ${us.toFixed(2)} us\n`)
}
const begin = performance.now()
for (let i = 0; i < 50; i++) watch.hour.series('hour')
process.stdout.write(`an hour summed ${((performance.now() - begin) / 50).toFixed(2)} ms\n`)
