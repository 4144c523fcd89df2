#!/usr/bin/env node
import type { Command, Io } from './command.ts'

/** Each is loaded when it is asked for: most need packages or programs that the others do not. */
const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  card: () => import('./cards/command.ts'),
  usage: () => import('./usage/command.ts'),
  lint: () => import('./lint/command.ts'),
  attack: () => import('./attack/command.ts'),
  pipeline: () => import('./pipeline/command.ts'),
  data: () => import('./data/command.ts'),
  model: () => import('./model/command.ts'),
  scan: () => import('./scan/command.ts'),
}

const usage = async (): Promise<string> => {
  const lines = await Promise.all(
    Object.entries(COMMANDS).map(
      async ([name, load]) => `  ${name.padEnd(12)} ${(await load()).command.summary}`,
    ),
  )
  return ['postern-sec: looks for weaknesses before others do', '', ...lines, ''].join('\n')
}

export const main = async (args: readonly string[], io: Io): Promise<number> => {
  const [name = '--help', ...rest] = args
  if (name === '--help' || name === '-h') {
    io.out(await usage())
    return 0
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (load === undefined) {
    io.err(`postern-sec: there is no command ${JSON.stringify(name)}; postern-sec --help lists them\n`)
    return 2
  }
  return (await load()).command.run(rest, io)
}

// Not awaited: a command may import this file, and would wait for it.
if (import.meta.main) {
  void main(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stdout.isTTY,
  }).then((code) => {
    process.exitCode = code
  })
}
