import { expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { noLog } from '../core/log.ts'
import { lifecycle } from './lifecycle.ts'
import { open, post, readAll } from './test/start.ts'

const startChild = async (
  streamMs: number,
): Promise<{ child: ChildProcess; port: number; output: () => string }> => {
  const script = fileURLToPath(new URL('./test/draining.ts', import.meta.url))
  const env = { ...process.env, STREAM_MS: String(streamMs), NODE_OPTIONS: '' }
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()))
  await once(child.stdout, 'data')
  return { child, port: Number(output.trim()), output: () => output }
}

test('the first signal lets a stream finish and then exits with 0', async () => {
  const { child, port, output } = await startChild(800)
  const socket = await open(port)
  socket.write(post('{}'))
  const reading = readAll(socket, 15_000)
  await once(socket, 'data')
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await reading).toContain('end;')
  expect(await exited).toEqual([0, null])
  expect(output()).toContain('drained')
})

test('the second signal exits at once', async () => {
  const { child, port, output } = await startChild(60_000)
  const socket = await open(port)
  socket.write(post('{}'))
  await once(socket, 'data')
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGINT'), 300)
  expect(await exited).toEqual([130, null])
  expect(output()).not.toContain('drained')
})

test('something that cannot be closed makes the exit code 1', async () => {
  const signals = new EventEmitter()
  const code = new Promise<number>((resolve) => {
    lifecycle({
      server: { drain: () => Promise.resolve() },
      onDrained: () => Promise.reject(new Error('audit')),
      exit: resolve,
      log: noLog,
      signals: signals as unknown as NodeJS.Process,
    })
  })
  signals.emit('SIGINT', 'SIGINT')
  expect(await code).toBe(1)
})
