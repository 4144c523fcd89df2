import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chained, START } from '../src/audit/chain.ts'
import { beginEntry, exchangeEntry, noteEntry } from '../src/audit/entries.ts'
import { explain } from '../src/audit/explain.ts'
import { newPrivateKey, signerFrom } from '../src/audit/keys.ts'
import { beginOf, recordOf } from '../src/audit/samples.ts'
import { verifyAudit } from '../src/audit/verify.ts'

/**
 * How long it takes to verify an audit log, and to find one exchange in it: `node proxy/bench/audit.ts [EXCHANGES]`, a million
 * unless said otherwise. Each has its two lines, and every thousandth line is signed, as by default.
 */
const exchanges = Number(process.argv[2] ?? 1_000_000)
const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
const path = join(folder, 'audit.log')
const signer = signerFrom(newPrivateKey())
const BATCH = 500

const write = (): void => {
  let link = START
  const stamp = () => ({ written: new Date().toISOString(), signer })
  const add = (entries: Parameters<typeof chained>[1]): void => {
    const { text, link: next } = chained(link, entries, stamp())
    appendFileSync(path, text)
    link = next
  }
  writeFileSync(`${path}.pub`, signer.publicPem)
  add([noteEntry('open', { origin: 'first', previous_seq: 0 })])
  for (let i = 0; i < exchanges; i += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, exchanges - i) }, (_, n) => `exchange-${i + n}`)
    const lines = ids.flatMap((id) => [beginEntry(beginOf(id)), exchangeEntry(recordOf(id))])
    add([...lines, noteEntry('checkpoint', {})])
  }
  add([noteEntry('close', {})])
}

const timed = async (what: string, work: () => Promise<boolean>): Promise<void> => {
  const begin = performance.now()
  const before = process.cpuUsage()
  const good = await work()
  const seconds = (performance.now() - begin) / 1000
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(
    `${what.padEnd(34)} ${seconds.toFixed(2).padStart(7)} s, ${((user + system) / 1e6).toFixed(2)} s of processor time${good ? '' : '  WRONG'}\n`,
  )
  if (!good) process.exitCode = 1
}

try {
  write()
  const megabytes = statSync(path).size / 1e6
  process.stdout.write(`${exchanges} exchanges, ${megabytes.toFixed(0)} MB\n`)
  // A first pass brings the file into memory, so that the disk is not what is measured.
  spawnSync('cat', [path], { stdio: 'ignore' })
  await timed('verify all', async () => (await verifyAudit(path)).exchanges === exchanges)
  for (const [what, id] of [
    ['explain the first', 'exchange-0'],
    ['explain the last', `exchange-${exchanges - 1}`],
  ] as const) {
    await timed(what, async () => {
      const [found] = await explain({ member: 'id', value: id }, [path])
      return found?.proof.state === 'signed'
    })
  }
  process.stdout.write(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
