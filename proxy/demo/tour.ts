import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { styleText } from 'node:util'
import { startSite } from './site.ts'
import { tourSteps, type Seen } from './tour-steps.ts'

interface Recorded {
  readonly type: string
  readonly id: string
  readonly outcome: string
  readonly reasons: readonly string[]
  readonly findings: readonly { readonly rule: string; readonly action: string; readonly direction: string }[]
}

const paint = (style: 'bold' | 'dim' | 'green' | 'yellow' | 'red', text: string): string =>
  styleText(style, text, { stream: process.stdout })

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const SHADES = { allowed: 'green', redacted: 'yellow', cut: 'yellow' } as const

const show = (title: string, seen: Seen, record: Recorded | undefined): void => {
  const outcome = record?.outcome ?? 'not recorded'
  const shade = outcome in SHADES ? SHADES[outcome as keyof typeof SHADES] : 'red'
  const acted = record?.findings.filter(({ action }) => action !== 'ignore') ?? []
  const why = [
    ...(record?.reasons ?? []),
    ...new Set(acted.map(({ rule, action, direction }) => `${rule} in the ${direction}: ${action}`)),
  ]
  say(`\n${paint('bold', title)}`)
  say(`    caller saw  ${clip(seen.text)}`)
  say(`    decision    ${paint(shade, outcome)}${why.length > 0 ? paint('dim', `  ${why.join('; ')}`) : ''}`)
}

const clip = (text: string): string => (text.length > 150 ? `${text.slice(0, 149)}…` : text)

const recordsOf = (file: string): ReadonlyMap<string, Recorded> =>
  new Map(
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Recorded)
      .filter(({ type }) => type === 'exchange')
      .map((record) => [record.id, record]),
  )

const site = await startSite()
let failed = 0
try {
  say(
    'The guard runs on its embedded defaults in front of an embedded demo model. Twelve requests, sent with the',
  )
  say('openai client, and what became of them; the decisions are read from the audit log.')
  const visitor = {
    url: site.url,
    tokens: { alice: await site.login('alice'), guest: await site.login('guest') },
  }
  const seen: Seen[] = []
  for (const step of tourSteps) seen.push(await step.go(visitor))
  // A record follows its answer within a group commit.
  await new Promise((done) => setTimeout(done, 200))
  const records = recordsOf(site.auditFile)
  tourSteps.forEach((step, i) => {
    const one = seen[i] ?? { text: '', id: '' }
    show(`${String(i + 1).padStart(2)}. ${step.sent}`, one, records.get(one.id))
    if (!step.expect.test(one.text)) {
      failed += 1
      say(paint('red', `    expected    ${String(step.expect)}`))
    }
  })
  const verify = [resolve(import.meta.dirname, '../src/cli.ts'), 'audit', 'verify', site.auditFile]
  say(
    `\nThe record, with the two logins before: ${execFileSync(process.execPath, verify, { encoding: 'utf8' }).trim()}`,
  )
  say(
    '\nNext: `make run` leaves guard and model running; README.md shows how to put the guard before your own model.',
  )
} finally {
  await site.close()
}
if (failed > 0) say(paint('red', `\n${failed} of ${tourSteps.length} requests were not treated as expected.`))
process.exitCode = failed > 0 ? 1 : 0
