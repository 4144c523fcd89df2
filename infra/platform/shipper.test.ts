import { expect, test } from '@jest/globals'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blocks, listed } from '../aspects/read.ts'
import { azure } from '../environments/azure.ts'
import { found } from '../test/programs.ts'
import { unless } from '../test/unless.ts'
import { only, synthesised } from '../test/synth.ts'
import { ARCHIVE } from './fluentd.ts'

const rclone = found('rclone')

const command = (): string => {
  const pod = only(synthesised(azure)['azure-platform'], 'kubernetes_daemon_set_v1')
  const [container] = blocks(pod, 'spec', 'template', 'spec', 'container')
  return String(listed(container?.command).at(-1))
}

unless(rclone, 'rclone')(
  'the shipper moves files that are finished, and leaves those that are being written',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-shipper-'))
    try {
      const archive = join(folder, 'archive')
      const bucket = join(folder, 'bucket')
      for (const path of [join(archive, 'team-a/chat'), join(archive, 'team-b'), bucket])
        mkdirSync(path, { recursive: true })
      writeFileSync(join(archive, 'team-a/chat/1.log.gz'), 'finished')
      writeFileSync(join(archive, 'team-b/2.log.gz'), 'being written')
      const before = Date.now() / 1000 - 300
      utimesSync(join(archive, 'team-a/chat/1.log.gz'), before, before)
      // Once, and without waiting.
      const once = command()
        .replaceAll(ARCHIVE, archive)
        .replace('while true; do', '')
        .replace(/ *sleep 60 & wait \$!\n *done/, '')
      execFileSync('/bin/sh', ['-c', once.replace('rclone', rclone ?? '').replace(' || true', '')], {
        env: { TARGET: bucket, RCLONE_CONFIG_AUDIT_TYPE: 'local', RCLONE_CONFIG: join(folder, 'none.conf') },
        stdio: 'pipe',
      })
      expect(readFileSync(join(bucket, 'team-a/chat/1.log.gz'), 'utf8')).toBe('finished')
      expect(existsSync(join(archive, 'team-a/chat/1.log.gz'))).toBe(false)
      expect(existsSync(join(archive, 'team-b/2.log.gz'))).toBe(true)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  60_000,
)

unless(rclone, 'rclone')(
  'told to end, as when its node is given back, the shipper ships what is new as well',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-shipper-'))
    try {
      for (const path of ['archive/team-a', 'bucket']) mkdirSync(join(folder, path), { recursive: true })
      const quick = command()
        .replaceAll(ARCHIVE, join(folder, 'archive'))
        .replace('rclone', rclone ?? '')
        .replace('sleep 20; ship 5s', 'sleep 1; ship 1s')
      const shipper = spawn('/bin/sh', ['-c', quick], {
        env: {
          PATH: process.env.PATH,
          TARGET: join(folder, 'bucket'),
          RCLONE_CONFIG_AUDIT_TYPE: 'local',
          RCLONE_CONFIG: join(folder, 'none.conf'),
        },
        stdio: 'ignore',
      })
      const ended = new Promise<number | null>((done) => shipper.once('exit', done))
      writeFileSync(join(folder, 'archive/team-a/1.log.gz'), 'last words')
      const before = Date.now() / 1000 - 10
      utimesSync(join(folder, 'archive/team-a/1.log.gz'), before, before)
      await new Promise((done) => setTimeout(done, 3000))
      shipper.kill('SIGTERM')
      expect(await ended).toBe(0)
      expect(readFileSync(join(folder, 'bucket/team-a/1.log.gz'), 'utf8')).toBe('last words')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  90_000,
)

test('the shipper runs for ever, whatever happens', () => {
  expect(command()).toMatch(
    /\|\| true; \}\ntrap .*\nwhile true; do\n {2}ship 1m\n {2}sleep 60 & wait \$!\ndone$/,
  )
}, 60_000)
