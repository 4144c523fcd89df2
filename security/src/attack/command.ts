import type { Command, Io } from '../command.ts'
import { withDemo } from '../pipeline/demo.ts'
import type { Endpoint } from './client.ts'
import { finish } from './finish.ts'
import { readCatalogue } from './public/catalogue.ts'
import { HELP, readOptions, type AttackOptions } from './options.ts'
import { attackBoth, attackWithList, replay, type Targets } from './session.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export const command: Command = {
  summary: 'attack a model endpoint, guarded and bare, and say what got through',
  run: async (args, io) => {
    if (args.includes('--help') || args.includes('-h')) {
      io.out(HELP)
      return 0
    }
    if (args.includes('--lists')) {
      for (const [name, { title, licence, url }] of Object.entries(readCatalogue()))
        io.out(`${name}: ${title} (${licence})\n  ${url}\n`)
      return 0
    }
    let options: AttackOptions
    try {
      options = readOptions(args)
    } catch (error) {
      io.err(
        `postern-sec attack: ${error instanceof Error ? error.message : 'wrong usage'}; see postern-sec attack --help\n`,
      )
      return 2
    }
    const stop = new AbortController()
    const end = (): void => {
      if (stop.signal.aborted) process.exit(130)
      io.err('\npostern-sec: stopping; what was sent is kept. Once more ends at once.\n')
      stop.abort()
    }
    for (const name of SIGNALS) process.on(name, end)
    try {
      return await started(options, stop.signal, io)
    } catch (error) {
      io.err(`postern-sec attack: ${error instanceof Error ? error.message : 'failed'}\n`)
      return 3
    } finally {
      for (const name of SIGNALS) process.removeListener(name, end)
    }
  },
}

const started = async (options: AttackOptions, stop: AbortSignal, io: Io): Promise<number> => {
  if (!options.demo) return go(options, { ...targetsOf(options), stop }, io)
  return withDemo(({ guardUrl, modelUrl, key, model }) => {
    const demo = { ...options, target: guardUrl, bare: modelUrl, model }
    const guarded = endpoint(demo, { url: guardUrl, key })
    return go(demo, { guarded, bare: endpoint(demo, { url: modelUrl }), stop }, io)
  })
}

const go = async (options: AttackOptions, targets: Targets, io: Io): Promise<number> => {
  if (options.tool !== undefined) {
    const { runTools } = await import('./with/run-tool.ts')
    return runTools({ options, targets, io })
  }
  const session = await sessionOf(options)(options, targets, io)
  return finish(session, options, io)
}

const sessionOf = ({ list, replay: file }: AttackOptions): typeof attackBoth =>
  list !== undefined ? attackWithList : file !== undefined ? replay : attackBoth

const targetsOf = (options: AttackOptions): Targets => {
  const { target = '', bare, keyEnv, bareKeyEnv } = options
  return {
    guarded: endpoint(options, { url: target, key: keyFrom(keyEnv) }),
    bare: bare === undefined ? undefined : endpoint(options, { url: bare, key: keyFrom(bareKeyEnv) }),
  }
}

const endpoint = (
  { model, stream, timeoutMs }: AttackOptions,
  { url, key }: { readonly url: string; readonly key?: string | undefined },
): Endpoint => ({ url, model, stream, timeoutMs, tools: [], ...(key !== undefined && { key }) })

const keyFrom = (name: string | undefined): string | undefined => {
  if (name === undefined) return undefined
  const key = process.env[name]
  if (key === undefined || key === '') throw new Error(`the environment variable ${name} is not set`)
  return key
}
