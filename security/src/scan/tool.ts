import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Answer {
  /** -1 when it was cut off. */
  readonly code: number
  readonly out: string
  /** The last 20,000 characters that it wrote to standard error. */
  readonly said: string
}

const LIMIT_MS = 600_000 // a first run loads a database of some hundred megabytes
const MAX_OUT = 256 << 20 // bytes

/** The file of a program on the PATH, if it is there. */
export const onPath = (program: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** Runs a program without a shell, to its end or ten minutes. Throws an Error when it cannot be started or prints more than 256 MiB. */
export const ask = (file: string, args: readonly string[], folder: string): Promise<Answer> =>
  new Promise((done, fail) => {
    const child = spawn(file, args, {
      cwd: folder,
      env: process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    })
    const chunks: Buffer[] = []
    let size = 0
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_OUT) chunks.push(chunk)
      else child.kill('SIGKILL')
    })
    child.stderr.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-20_000)))
    child.once('error', fail)
    child.once('close', (code) => {
      if (size > MAX_OUT) fail(new Error(`${file} printed more than ${MAX_OUT} bytes`))
      else done({ code: code ?? -1, out: Buffer.concat(chunks).toString(), said })
    })
  })

export const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim().slice(0, 300) ?? ''

/** What a program of Anchore says behind its last ERROR, in one line without colours; the last line when it says none. */
export const errorIn = (said: string): string => {
  const plain = said.replaceAll(/\p{Cc}\[[0-9;]*m/gu, '')
  const at = plain.lastIndexOf(' ERROR ')
  if (at === -1) return lastLine(plain)
  return plain
    .slice(at + ' ERROR '.length)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
}
