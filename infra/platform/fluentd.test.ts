import { afterAll, expect } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { found } from '../test/programs.ts'
import { unless } from '../test/unless.ts'
import { archiveOutput, fluentdConfig } from './fluentd.ts'

const program = found('fluentd')
const folder = mkdtempSync(join(tmpdir(), 'postern-archive-'))
let running: ChildProcess | undefined

afterAll(async () => {
  if (running?.pid !== undefined) {
    const ended = new Promise((done) => running?.once('exit', done))
    process.kill(-running.pid, 'SIGKILL')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

unless(program, 'fluentd with the plug-ins concat and grafana-loki')(
  'a real Fluentd puts audit records, and nothing else, byte by byte into files of their pod',
  async () => {
    const records = Array.from(
      { length: 50 },
      (_, seq) => `{"v":1,"seq":${seq},"type":"exchange","text":"é ${'x'.repeat(seq)}"}`,
    )
    for (const name of ['containers', 'state', 'outputs']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'outputs', 'archive.conf'), soon(archiveOutput))
    writeFileSync(
      join(folder, 'fluent.conf'),
      fluentdConfig().replace('/fluentd/etc/outputs/', `${folder}/outputs/`).replace('port 24231', 'port 0'),
    )
    const lines = [...records, 'the guard says it is ready']
    writeFileSync(
      join(folder, 'containers', `chat-7d_team-a_postern-${'a'.repeat(64)}.log`),
      lines.map((line) => `2026-11-21T10:00:00.000000000+00:00 stdout F ${line}\n`).join(''),
    )
    running = spawn(program ?? '', ['-c', join(folder, 'fluent.conf')], {
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        STATE: join(folder, 'state'),
        CONTAINER_LOGS: join(folder, 'containers', '*postern*.log'),
        AUDIT_FILES: join(folder, 'none.log'),
      },
    })
    let archived: string[] = []
    for (let tries = 0; tries < 300 && archived.length < records.length; tries++) {
      await sleep(200)
      archived = globSync(join(folder, 'state/archive/team-a/chat-7d/*/*.gz')).flatMap((file) =>
        gunzipSync(readFileSync(file)).toString().split('\n').slice(0, -1),
      )
    }
    expect(archived).toEqual(records)
  },
  90_000,
)

const soon = (text: string): string =>
  text.replace('timekey 5m', 'timekey 1s').replace('timekey_wait 30s', 'timekey_wait 0s')
