import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { LABELS } from './board.ts'
import { SESSION } from './record.ts'

const HELP = `node monitoring/llmsecops_demo/show.ts --loki URL
Puts the recorded session into a Loki, moved to the last ten minutes, for the dashboard "Red-team session (demo)".
`

/** Throws Error with what Loki says. Gives the number of records. */
export const pushSession = async (loki: string, now: number = Date.now()): Promise<number> => {
  const lines = readFileSync(SESSION, 'utf8').trim().split('\n')
  const times = lines.map((line) => Date.parse((JSON.parse(line) as { time: string }).time))
  const moved = now - (times.at(-1) ?? now)
  const values = lines.map((line, at) => [`${(times[at] ?? now) + moved}000000`, line])
  const response = await fetch(new URL('/loki/api/v1/push', loki), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ streams: [{ stream: LABELS, values }] }),
  })
  if (response.status !== 204)
    throw new Error(`Loki says ${response.status}: ${(await response.text()).slice(0, 500)}`)
  return lines.length
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { loki: { type: 'string' }, help: { type: 'boolean' } } })
  if (values.loki === undefined) process.stdout.write(HELP)
  else
    process.stdout.write(
      `${await pushSession(values.loki)} records are in Loki, as of the last ten minutes.\n`,
    )
}
