import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { bin } from '../cluster/folders.ts'
import { api } from './api.ts'
import type { Client } from './full.ts'

/** What became of the streams: every one to its end (`whole`), or not. */
export interface Tally {
  readonly whole: number
  readonly cut: number
  /** Requests that were never answered with a stream. */
  readonly refused: number
  readonly problems: Readonly<Record<string, number>>
}

export interface Streams {
  readonly url: string
  readonly token: string
  /** At any time. */
  readonly streams: number
  /** Of each stream; its length is this times the model's pace. */
  readonly pieces: number
  /** How often the client tries again what did not begin; never when absent. */
  readonly retries?: number
}

/** Makes a change while the client holds so many streams open. Each stream that ends is followed by another until the change is made. */
export const whileStreaming = async (
  client: Client,
  what: Streams,
  change: () => Promise<void>,
): Promise<Tally> => {
  const { kubeconfig } = await api()
  const child = spawn(
    join(bin, 'kubectl'),
    [
      '--kubeconfig',
      kubeconfig,
      '-n',
      client.namespace,
      'exec',
      '-i',
      client.pod,
      '--',
      'node',
      'streams.ts',
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the client in the cluster ended before its streams did')
    return JSON.parse(value) as T
  }
  try {
    child.stdin.write(`${JSON.stringify(what)}\n`)
    await next<{ running: true }>()
    await change()
    child.stdin.end()
    return await next<Tally>()
  } finally {
    child.kill()
  }
}
