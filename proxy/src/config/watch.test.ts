import { afterEach, expect, test } from '@jest/globals'
import { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogFields } from '../core/log.ts'
import { readConfig } from './read-config.ts'
import type { Config } from './schema.ts'
import { watchConfig } from './watch.ts'

const text = (port: number | string): string =>
  `admin: { port: ${port} }
identity: { anonymous: { roles: [user] } }
upstreams: [{ name: local, url: 'http://127.0.0.1:8000' }]
models: [{ name: m, targets: [{ upstream: local }] }]
`

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const setUp = (apply?: (config: Config) => void) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-watch-'))
  const volume = (name: string, content: string): void => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'postern.yaml'), content)
    symlinkSync(name, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  volume('..1', text(1))
  symlinkSync(join('..data', 'postern.yaml'), join(folder, 'postern.yaml'))
  const file = join(folder, 'postern.yaml')
  const applied: number[] = []
  const counts: string[] = []
  const lines: (readonly [string, LogFields | undefined])[] = []
  const signals = new EventEmitter()
  const log = (event: string, fields?: LogFields): void => void lines.push([event, fields])
  const watching = watchConfig({
    file,
    load: () => readConfig(readFileSync(file, 'utf8'), { env: {}, readFile: () => '', file }),
    apply: (config) => {
      apply?.(config)
      applied.push(config.admin.port)
    },
    meter: {
      add: (...args) => void counts.push(args.join(' ')),
      set: () => undefined,
      observe: () => undefined,
    },
    log: { info: log, warn: log, error: log },
    signals: signals as unknown as NodeJS.Process,
    debounceMs: 20,
    pollMs: 100,
  })
  closers.push(() => {
    watching.close()
    rmSync(folder, { recursive: true })
  })
  return { file, volume, applied, counts, lines, signals, watching }
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 750 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(condition()).toBe(true)
}

test('a swap of the ..data link is a reload', async () => {
  const { volume, applied, counts } = setUp()
  await new Promise((resolve) => setTimeout(resolve, 50))
  volume('..2', text(2))
  await until(() => applied.length > 0)
  expect(applied).toEqual([2])
  expect(counts).toEqual(['postern_reloads_total 1 config ok'])
})

test('SIGHUP is a reload, also when nothing changed', async () => {
  const { signals, applied } = setUp()
  signals.emit('SIGHUP')
  await until(() => applied.length === 1)
  expect(applied).toEqual([1])
})

test('a bad file keeps the old, is counted, and every problem is logged with its place', async () => {
  const { volume, applied, counts, lines } = setUp()
  await new Promise((resolve) => setTimeout(resolve, 50))
  volume('..2', `${text('x')}serve: 1\n`)
  await until(() => counts.length > 0)
  expect(applied).toEqual([])
  expect(counts).toEqual(['postern_reloads_total 1 config failed'])
  expect(lines.map(([event, fields]) => [event, fields?.['path'], fields?.['line']])).toEqual([
    ['config_problem', 'admin.port', 1],
    ['config_problem', 'serve', 5],
  ])
  volume('..3', text(3))
  await until(() => applied.length > 0)
  expect(applied).toEqual([3])
})

test('a configuration that cannot be applied is a failed reload', async () => {
  const { watching, counts, lines } = setUp(() => {
    throw new Error('port taken')
  })
  await watching.reload()
  expect(counts).toEqual(['postern_reloads_total 1 config failed'])
  expect(lines[0]![0]).toBe('config_reload_failed')
})
