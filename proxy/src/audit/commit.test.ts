import { PassThrough, type Writable } from 'node:stream'
import { createWriteStream } from 'node:fs'
import { expect, test } from '@jest/globals'
import { noMeter, type MetricName } from '../core/metrics.ts'
import { groupCommit, type Pending, type Store } from './commit.ts'
import { everyAudit } from './every.ts'
import type { Entry } from './chain.ts'
import { beginOf, quiet, recordOf } from './samples.ts'
import { stdoutAudit, type StdoutAuditOptions } from './stdout.ts'

const entry = (type: Entry['type'], id: string): Pending => ({
  type,
  id,
  size: 0,
  entry: () => ({ type, id, members: '' }),
})

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A store that does what it is told next. */
const scripted = () => {
  const written: string[] = []
  const gate = { next: (): Promise<void> => Promise.resolve() }
  const store: Store = {
    commit: async (entries) => {
      await gate.next()
      written.push(...entries.map(({ type, id }) => `${type} ${id ?? ''}`))
    },
    repair: async (missing) => {
      await gate.next()
      written.push(`repaired ${String(missing)}`)
    },
    tend: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  return { store, written, gate }
}

const options = { maxQueue: 100, stallMs: 5000, ...quiet }

test('after a failed write all that waits is refused, and ends are written once the store is repaired', async () => {
  const { store, written, gate } = scripted()
  const gauge: number[] = []
  const meter = { ...noMeter, set: (_: MetricName, value: number) => void gauge.push(value) }
  const lines = groupCommit(store, { ...options, meter })
  gate.next = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
  const results = await Promise.allSettled([
    lines.add(entry('begin', 'a')),
    lines.add(entry('exchange', 'b')),
    lines.add(entry('exchange', 'c')),
  ])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(results[0]).toMatchObject({ reason: { code: 'guard_unavailable', details: ['audit'] } })
  expect(lines.unready()).toMatch(/ENOSPC/)
  await expect(lines.add(entry('begin', 'd'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  await expect(lines.add(entry('exchange', 'e'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  gate.next = () => Promise.resolve()
  for (let i = 0; i < 1500 && lines.unready() !== undefined; i++) await sleep(10)
  await lines.close()
  expect(written).toEqual(['repaired 0', 'exchange b', 'exchange c', 'exchange e'])
  expect(gauge).toEqual([1, 0, 1])
})

test('an entry that cannot be made costs only itself', async () => {
  const { store, written } = scripted()
  const log = { ...quiet.log, error: (event: string) => void written.push(event) }
  const lines = groupCommit(store, { ...options, log })
  const broken = (): never => {
    throw new Error('not an entry')
  }
  await Promise.all([
    lines.add(entry('exchange', 'a')),
    lines.add({ ...entry('exchange', 'b'), entry: broken }),
    lines.add(entry('exchange', 'c')),
  ])
  expect(lines.unready()).toBeUndefined()
  await lines.close()
  expect(written).toEqual(['exchange_not_recorded', 'exchange a', 'exchange c'])
})

test('ends beyond the bound are counted instead of kept', async () => {
  const { store, written, gate } = scripted()
  const lines = groupCommit(store, { ...options, maxQueue: 2 }, new Error('not yet'))
  gate.next = () => Promise.reject(new Error('still not'))
  await Promise.allSettled(Array.from({ length: 5 }, (_, i) => lines.add(entry('exchange', String(i)))))
  gate.next = () => Promise.resolve()
  for (let i = 0; i < 1500 && lines.unready() !== undefined; i++) await sleep(10)
  await lines.close()
  expect(written).toEqual(['repaired 3', 'exchange 0', 'exchange 1'])
})

test('a disk that does not answer refuses, and heals when it answers', async () => {
  const { store, written, gate } = scripted()
  const hang = Promise.withResolvers<undefined>()
  gate.next = async () => {
    await hang.promise
  }
  const lines = groupCommit(store, { ...options, stallMs: 500 })
  await expect(lines.add(entry('begin', 'a'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  expect(lines.unready()).toMatch(/does not answer/)
  await expect(lines.add(entry('begin', 'b'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  gate.next = () => Promise.resolve()
  hang.resolve(undefined)
  for (let i = 0; i < 1500 && lines.unready() !== undefined; i++) await sleep(10)
  expect(lines.unready()).toBeUndefined()
  await lines.add(entry('begin', 'c'))
  await lines.close()
  expect(written).toEqual(['begin a', 'begin c'])
})

const streamOptions = (stream: Writable, more: Partial<StdoutAuditOptions> = {}): StdoutAuditOptions => ({
  stream,
  signingKey: undefined,
  checkpointLines: 1000,
  checkpointMs: 10_000,
  maxQueue: 100,
  stallMs: 5000,
  ...more,
})

test('standard output carries the same chained lines', async () => {
  const stream = new PassThrough()
  const log = stdoutAudit(streamOptions(stream), quiet)
  await log.begin(beginOf('x1'))
  await log.end(recordOf('x1'))
  await log.close()
  const lines = String(stream.read())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; seq: number })
  expect(lines.map(({ type, seq }) => [seq, type])).toEqual([
    [1, 'open'],
    [2, 'begin'],
    [3, 'exchange'],
    [4, 'close'],
  ])
})

test('an output that is full refuses and says so', async () => {
  const log = stdoutAudit(streamOptions(createWriteStream('/dev/full')), quiet)
  await expect(log.begin(beginOf('x1'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  expect(log.unready()).toMatch(/ENOSPC/)
  await log.close()
})

test('of several logs all must take a record, and one that fails is named', async () => {
  const good = new PassThrough()
  const both = everyAudit([
    stdoutAudit(streamOptions(good), quiet),
    stdoutAudit(streamOptions(createWriteStream('/dev/full')), quiet),
  ])
  expect(both.unready()).toBeUndefined()
  await expect(both.begin(beginOf('x1'))).rejects.toMatchObject({ code: 'guard_unavailable' })
  expect(String(good.read())).toContain('"id":"x1"')
  expect(both.unready()).toMatch(/ENOSPC/)
  await both.close()
})
