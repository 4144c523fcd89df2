import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { askLoki, startLoki } from './demo/loki.ts'
import { findProgram } from './demo/programs.ts'
import type { Daemon } from './demo/prometheus.ts'

const FLUENTD = findProgram('fluentd')
const LOKI = findProgram('loki')
const HAVE = FLUENTD !== undefined && LOKI !== undefined
const live = HAVE ? test : test.skip
const WHY = HAVE
  ? ''
  : ' (skipped: needs fluentd with the plug-ins concat and grafana-loki, and loki; monitoring/README.md says how)'

const AUDIT = 2000
const ROUNDS = 4
const CONTAINER = `chat-7d_team-a_postern-${'a'.repeat(64)}.log`

const config = (
  parseAllDocuments(readFileSync(join(import.meta.dirname, 'fluentd-config.yaml'), 'utf8'))[0]?.toJS() as {
    data: Record<string, string>
  }
).data['fluent.conf']

let loki: Daemon | undefined
let folder = ''
let running: ChildProcess | undefined

beforeAll(async () => {
  if (LOKI === undefined || !HAVE) return
  folder = mkdtempSync(join(tmpdir(), 'postern-fluentd-'))
  for (const name of ['containers', 'state']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'fluent.conf'), config ?? '')
  loki = await startLoki(LOKI)
}, 90_000)

afterAll(async () => {
  await kill()
  await loki?.close()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

/** The whole group, because the supervisor would outlive its worker or the worker its supervisor: a node that loses its power. */
const kill = async (): Promise<void> => {
  const child = running
  running = undefined
  if (child?.pid === undefined || child.exitCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  process.kill(-child.pid, 'SIGKILL')
  await ended
}

let said = ''

const start = (): void => {
  running = spawn(FLUENTD ?? '', ['-c', join(folder, 'fluent.conf')], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      STATE: join(folder, 'state'),
      CONTAINER_LOGS: join(folder, 'containers', '*postern*.log'),
      AUDIT_FILES: join(folder, 'audit.log'),
      LOKI_URL: loki!.url,
      POD_NAMESPACE: 'gateway',
      POD_NAME: 'edge-0',
      NODE_NAME: 'node-1',
    },
  })
  const keep = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-20_000))
  running.stdout?.on('data', keep)
  running.stderr?.on('data', keep)
}

/** Different in length and hard to compress, as hashes are; the shape of a record, so that it is routed as one. */
const record = (seq: number): string =>
  `{"v":1,"seq":${seq},"type":"exchange","prev":"${createHash('sha256').update(String(seq)).digest('hex')}","id":"é-${seq}","path":"${'x'.repeat(seq % 700)}"}`

/** As the container runtime writes: cut at 16 KiB, the parts marked. */
const cri = (line: string): string => {
  const time = new Date().toISOString().replace('Z', '000000+00:00')
  const parts = line.match(/.{1,16384}/gsu) ?? []
  return parts.map((part, at) => `${time} stdout ${at < parts.length - 1 ? 'P' : 'F'} ${part}\n`).join('')
}

const long = `{"v":1,"seq":0,"type":"exchange","path":"${'y'.repeat(50_000)}"}`

const linesIn = async (selector: string): Promise<ReadonlySet<string>> => {
  const streams = await askLoki(loki!.url, selector)
  return new Set(streams.flatMap(({ values = [] }) => values.map(([, line]) => line)))
}

const AUDITED = '{app="postern",stream="audit",namespace="gateway",pod="edge-0"}'

live(
  `no record is lost when Fluentd is killed again and again, and none is changed${WHY}`,
  async () => {
    const all: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      start()
      for (let batch = 0; batch < 10; batch++) {
        const lines = Array.from({ length: AUDIT / ROUNDS / 10 }, (_, at) => record(all.length + at + 1))
        all.push(...lines)
        appendFileSync(join(folder, 'audit.log'), `${lines.join('\n')}\n`)
        appendFileSync(join(folder, 'containers', CONTAINER), lines.map(cri).join(''))
        // At another point of its work each time: reading, buffering, sending.
        await sleep(300 + 70 * round)
      }
      if (round === 0) appendFileSync(join(folder, 'containers', CONTAINER), cri(long))
      if (round < ROUNDS - 1) await kill()
    }
    let found: ReadonlySet<string> = new Set()
    for (let tries = 0; tries < 120 && all.some((line) => !found.has(line)); tries++) {
      await sleep(500)
      found = await linesIn(AUDITED)
    }
    expect({ missing: all.filter((line) => !found.has(line)).length, said }).toMatchObject({ missing: 0 })
    expect([...found].filter((line) => !all.includes(line))).toEqual([])
  },
  180_000,
)

live(
  `container logs keep pod, namespace and container, and long lines are whole again${WHY}`,
  async () => {
    const selector = '{app="postern",stream="audit",namespace="team-a",pod="chat-7d",container="postern"}'
    let found: ReadonlySet<string> = new Set()
    for (let tries = 0; tries < 60 && !(found.has(record(AUDIT)) && found.has(long)); tries++) {
      await sleep(500)
      found = await linesIn(selector)
    }
    expect(found.has(long)).toBe(true)
    expect(Array.from({ length: AUDIT }, (_, at) => at + 1).filter((seq) => !found.has(record(seq)))).toEqual(
      [],
    )
    await kill()
  },
  60_000,
)
