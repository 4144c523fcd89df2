import { parseArgs } from 'node:util'
import { freezeBaseline, type Baseline, type Profile } from '../behaviour/baseline.ts'
import type { Config } from '../config/schema.ts'
import type { Json } from '../core/json.ts'
import { CliError, EXIT, type Command, type Io } from './command.ts'
import { readKeyFile } from './key-file.ts'
import { loadConfig } from './load-config.ts'

export const baselineCommand: Command = {
  help: `usage: postern baseline FILE --config CONFIG [--url URL]
       postern baseline FILE --token-file TOKEN [--url URL]

Freezes how models behave now: asks a running guard for what it has learned and writes it to FILE, which
behaviour.baselineFile of the configuration then names. Drift is measured against it. FILE is replaced whole, and
holds histograms and names of models, tenants, roles, rules, tools and arguments, never text. Look at the traffic
before: a baseline frozen while somebody misuses a model makes the misuse normal.

  --config CONFIG      the configuration of the guard, a file or env:NAME: it has the token and the admin port
  --token-file TOKEN   file with the token of behaviour.snapshotToken, instead
  --url URL            the admin port, http://127.0.0.1:8081 or that of CONFIG when absent

example
  postern baseline baseline.json --config postern.yaml

exit codes
  0  written     1  the guard gave none     2  wrong usage     3  the guard was not reached, or FILE not written
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        'token-file': { type: 'string' },
        url: { type: 'string' },
      },
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0)
      throw new CliError('write: postern baseline FILE --config CONFIG; see postern baseline --help')
    const config = values.config === undefined ? undefined : loadConfig(values.config, io, 'trust')
    const snapshot = await snapshotOf(urlOf(values.url, config), tokenOf(values['token-file'], config))
    if (!snapshot.ok) {
      io.err(`postern: the guard gave no snapshot: ${snapshot.why}\n`)
      return EXIT.no
    }
    const baseline = await freezeBaseline(file, snapshot.json).catch((error: unknown) => {
      throw new CliError(`cannot write ${file}: ${(error as Error).message}`, EXIT.failed)
    })
    tell(baseline, { file, io })
    return EXIT.ok
  },
}

const urlOf = (given: string | undefined, config: Config | undefined): URL => {
  const { host, port } = config?.admin ?? { host: '127.0.0.1', port: 8081 }
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  const url = URL.parse('/baseline', given ?? `http://${name}:${port}`)
  if (url === null) throw new CliError('--url takes an address such as http://127.0.0.1:8081')
  return url
}

const tokenOf = (file: string | undefined, config: Config | undefined): string => {
  if (file !== undefined) return readKeyFile(file).trim()
  if (config === undefined) throw new CliError('show who asks: --config CONFIG or --token-file TOKEN')
  const { snapshotToken } = config.behaviour
  if (snapshotToken === undefined)
    throw new CliError('the configuration has no behaviour.snapshotToken; set it, and start the guard again')
  return snapshotToken.reveal()
}

const TIMEOUT_MS = 30_000

type Snapshot = { readonly ok: true; readonly json: Json } | { readonly ok: false; readonly why: string }

const snapshotOf = async (url: URL, token: string): Promise<Snapshot> => {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const json = (await response.json()) as Json
    if (response.ok) return { ok: true, json }
    const { error } = json as { readonly error?: unknown }
    return { ok: false, why: `status ${response.status}${typeof error === 'string' ? `, ${error}` : ''}` }
  } catch (cause) {
    throw new CliError(
      `no guard answered at ${url.host} (${(cause as Error).message}); say where its admin port is with --url`,
      EXIT.failed,
    )
  }
}

/** Below this a feature is not judged. */
const LEAST = 50

const tell = ({ profiles }: Baseline, { file, io }: { readonly file: string; readonly io: Io }): void => {
  io.out(`Written to ${file}: what ${profiles.length} of model and tenant did.\n`)
  for (const { model, tenant, pane } of profiles.toSorted(byTraffic))
    io.out(
      `  ${model} for ${tenant}: ${pane.exchanges} exchanges, ${pane.answers} answers` +
        `${pane.answers < LEAST ? io.paint('yellow', `, too few to judge drift by (${LEAST} are needed)`) : ''}\n`,
    )
}

const byTraffic = (a: Profile, b: Profile): number => b.pane.exchanges - a.pane.exchanges
