import { delimiter } from 'node:path'
import { build } from './build.ts'
import { bin } from './folders.ts'
import { capture } from './kubectl.ts'
import { buildImages } from './own-images.ts'
import { dismiss, keep, kept, supervise } from './supervise.ts'
import type { Tier } from './tiers.ts'

const HELP = `node e2e/cluster/cluster.ts COMMAND [api|full]
  build   builds the programs of a tier (the first time: minutes); full also asks for Debian packages
  up      a fresh, empty cluster in the background; full is the default
  load    ARCHIVE... into the full cluster; without one: images made from this repository
  env     prints KUBECONFIG and PATH for eval
  down    ends it; nothing stays
`

const say = (line: string): void => {
  process.stderr.write(`cluster: ${line}\n`)
}

const [command, ...args] = process.argv.slice(2)
const tier: Tier = args[0] === 'api' ? 'api' : 'full'

const running = () => {
  const state = kept(tier)
  if (!state) throw new Error(`no ${tier} cluster is up`)
  return state
}

const load = async (archives: readonly string[]): Promise<void> => {
  const { loader } = running()
  for (const archive of archives) {
    say(`loading ${archive}`)
    await capture([...loader, archive])
  }
}

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = {
  build: () => build(tier, say),
  up: async () => say(`up: export KUBECONFIG=${(await keep(tier)).kubeconfig}`),
  load: async () => load(args.length ? args : await buildImages(say)),
  env: () => {
    process.stdout.write(`export KUBECONFIG=${running().kubeconfig} PATH=${bin}${delimiter}$PATH\n`)
    return Promise.resolve()
  },
  down: () => dismiss(tier),
  supervise: () => supervise(tier),
}

const run = COMMANDS[command ?? '']
if (run) {
  await run().catch((cause: unknown) => {
    say(cause instanceof Error ? cause.message : String(cause))
    process.exitCode = 1
  })
} else {
  process.stderr.write(HELP)
  process.exitCode = 2
}
