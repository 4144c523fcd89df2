import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { auditThroughput, withoutAudit } from './audit-cost.ts'
import { load, percentile, type Measured } from './load.ts'
import { cpuMicros, residentMiB, start, type Running } from './processes.ts'
import { bareProxy, nginx, portkey, postern, type BenchTarget } from './targets.ts'

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 6)
const CONCURRENCY = 16
const SENTENCE =
  'The quarterly report says that revenue grew by 12 percent, mostly in the north, and that costs fell. '

/** A chat request of about `bytes` bytes: a system prompt and a user message of ordinary prose. */
const chat = (bytes: number, stream: boolean): Buffer =>
  Buffer.from(
    JSON.stringify({
      model: 'bench',
      ...(stream ? { stream } : {}),
      messages: [
        { role: 'system', content: 'You are a helpful assistant. Answer in one paragraph.' },
        { role: 'user', content: SENTENCE.repeat(Math.ceil(bytes / SENTENCE.length)).slice(0, bytes - 200) },
      ],
    }),
  )

interface Row {
  readonly name: string
  readonly readyMs: number
  readonly cells: Readonly<Record<string, number>>
}

const measure = async (target: BenchTarget): Promise<Row> => {
  const running = await start(target.start)
  const aim = { port: target.start.port, headers: target.headers }
  try {
    const cells: Record<string, number> = {}
    for (const [label, bytes] of [
      ['1.5 KB', 1500],
      ['16 KB', 16_000],
    ] as const) {
      const body = chat(bytes, false)
      const warm = await load({ target: aim, body, concurrency: CONCURRENCY, seconds: 2 })
      if (warm.requests === 0) throw new Error(`${target.name} answers nothing`)
      const { cpu, measured } = await loaded(running, {
        target: aim,
        body,
        concurrency: CONCURRENCY,
        seconds: SECONDS,
      })
      cells[`${label} CPU us`] = cpu
      cells[`${label} p50 ms`] = percentile(measured.latencies, 50)
      cells[`${label} p99 ms`] = percentile(measured.latencies, 99)
      cells[`${label} failed`] = measured.failed
    }
    const streamed = await load({ target: aim, body: chat(1500, true), concurrency: 1, seconds: SECONDS })
    cells['first text p50 ms'] = percentile(streamed.firstText, 50)
    cells['RSS MiB'] = residentMiB(running)
    return { name: target.name, readyMs: running.readyMs, cells }
  } finally {
    await running.stop()
  }
}

const loaded = async (
  running: Running,
  work: Parameters<typeof load>[0],
): Promise<{ readonly cpu: number; readonly measured: Measured }> => {
  const before = cpuMicros(running)
  const measured = await load(work)
  return { cpu: (cpuMicros(running) - before) / Math.max(1, measured.requests), measured }
}

const print = (rows: readonly Row[]): void => {
  const base = rows.find((row) => row.name === 'bare Node proxy')
  const labels = ['ready ms', ...Object.keys(rows[0]?.cells ?? {})]
  const cell = (row: Row, label: string): number =>
    label === 'ready ms' ? row.readyMs : (row.cells[label] ?? Number.NaN)
  for (const label of labels) {
    process.stdout.write(`\n${label}\n`)
    for (const row of rows) {
      const value = cell(row, label)
      const ratio = base ? value / cell(base, label) : Number.NaN
      const shown = Number.isFinite(ratio) ? `  x ${ratio.toFixed(2)}` : ''
      process.stdout.write(
        `  ${row.name.padEnd(34)} ${value.toFixed(value < 10 ? 3 : 0).padStart(9)}${shown}\n`,
      )
    }
  }
}

const MODEL = 19_700
const folders: string[] = []
/** Each guard has a folder of its own, since two must not write one audit log. */
const site = (port: number) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
  folders.push(folder)
  return { folder, model: MODEL, port }
}
const model = await start({
  command: process.execPath,
  args: [resolve(import.meta.dirname, 'model-server.ts'), String(MODEL)],
  port: MODEL,
})
try {
  const targets = [nginx(site(19_710)), bareProxy(site(19_720)), portkey(site(19_730)), postern(site(19_740))]
  const rows: Row[] = []
  for (const target of targets) {
    if (target) rows.push(await measure(target))
    else process.stdout.write('left out: a peer that this machine does not have\n')
  }
  process.stdout.write(
    `\nratios are to the bare Node proxy of this run; ${CONCURRENCY} clients, ${SECONDS} s each\n`,
  )
  print(rows)
  const pairs = [19_750, 19_770, 19_790].map((port) => ({
    audited: postern(site(port)),
    bare: withoutAudit(postern(site(port + 10))),
  }))
  const bodies = { '1.5 KB': chat(1500, false), '16 KB': chat(16_000, false), streamed: chat(1500, true) }
  const left = await auditThroughput(pairs, Object.values(bodies))
  process.stdout.write('\nthroughput of Postern with audit over without, 64 clients\n')
  for (const [i, name] of Object.keys(bodies).entries())
    process.stdout.write(`  ${name.padEnd(34)} ${left[i]?.toFixed(3) ?? 'NaN'}\n`)
} finally {
  await model.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
