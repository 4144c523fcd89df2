import { expect, test } from '@jest/globals'
import { rounds } from './rounds.ts'

const retry = { minMs: 1, maxMs: 4 }

/** Runs rounds until `times` were done. */
const run = async (
  times: number,
  act: (time: number, succeeded: () => void) => number,
): Promise<number[]> => {
  const failures: number[] = []
  let done = 0
  await new Promise<void>((resolve) => {
    const running = rounds({
      retry,
      round: (it) => {
        done += 1
        if (done === times) {
          void running.close().then(resolve)
          return Promise.resolve(0)
        }
        return Promise.resolve().then(() => act(done, () => it.succeeded()))
      },
      failed: (_cause, failure) => void failures.push(failure.failures),
    })
  })
  return failures
}

test('failures in a row are counted, and a round that goes well begins again', async () => {
  const failures = await run(7, (time) => {
    if (time === 3) return 0
    throw new Error('no')
  })
  expect(failures).toEqual([1, 2, 1, 2, 3])
})

test('a round that went well before it failed begins again too', async () => {
  const failures = await run(4, (time, succeeded) => {
    if (time === 2) succeeded()
    throw new Error('no')
  })
  expect(failures).toEqual([1, 1, 2])
})

test('the wait after a failure doubles up to its bound', async () => {
  const waits: number[] = []
  await new Promise<void>((resolve) => {
    const running = rounds({
      retry,
      round: () => Promise.reject(new Error('no')),
      failed: (_cause, { failures, retryMs }) => {
        waits.push(retryMs)
        if (failures === 5) void running.close().then(resolve)
      },
    })
  })
  for (const [index, wait] of waits.entries()) {
    const whole = Math.min(2 ** index, 4)
    expect(wait).toBeGreaterThanOrEqual(whole * 0.75)
    expect(wait).toBeLessThanOrEqual(whole * 1.25)
  }
})

test('waking ends a wait, also one that has not begun', async () => {
  let done = 0
  const twice = Promise.withResolvers<undefined>()
  const running = rounds({
    retry,
    round: () => {
      done += 1
      if (done === 1) void Promise.resolve().then(() => running.wake())
      if (done === 2) setTimeout(() => running.wake(), 5)
      if (done === 3) twice.resolve(undefined)
      return Promise.resolve(600_000)
    },
    failed: () => undefined,
  })
  await twice.promise
  await running.close()
  expect(done).toBe(3)
})

test('closing aborts the round that runs, and its error is nobody’s', async () => {
  const failures: string[] = []
  const running = rounds({
    retry,
    round: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
    failed: (cause) => void failures.push(cause.message),
  })
  await running.close()
  expect(failures).toEqual([])
})
