import type { Config } from '../config/schema.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { PolicyEngine } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { remoteBundle } from '../policy/remote-bundle.ts'
import { wasmPolicy } from '../policy/wasm.ts'
import { given } from './given.ts'

type Policy = Config['policy']

/** Decides by a bundle that is followed over HTTPS. Until the first one came it is not ready and refuses. */
export const remotePolicy = async (
  { dataFile: data, cacheEntries }: Policy,
  remote: NonNullable<Policy['remote']>,
  instruments: { readonly meter: Meter; readonly log: Log },
): Promise<PolicyEngine> => {
  const { url, file, caFile, tokenFile, certFile, keyFile, publicKeyFile, minDelayMs, maxDelayMs } = remote
  const client = certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined
  const source = await remoteBundle({
    ...given({ caFile, tokenFile, client, publicKeyFile }),
    url,
    file,
    minDelayMs,
    maxDelayMs,
    ...instruments,
  })
  let engine: PolicyEngine | undefined
  let why: string | undefined
  let closed = false
  const open = async (): Promise<void> => {
    // What somebody else put at `file` meanwhile is no policy.
    const verify = (archive: Uint8Array): Promise<void> => source.verify(archive)
    const opened = await wasmPolicy({
      ...given({ data }),
      bundle: file,
      verify,
      cacheEntries,
      ...instruments,
    })
    if (closed) await opened.close()
    else engine = opened
  }
  const opening = source
    .ready()
    .then(open)
    .catch((error: unknown) => {
      why = `policy: ${error instanceof Error ? error.message : 'failed'}`
    })
  // What was kept from the last run can answer at once.
  if (source.unready() === undefined) await opening

  const current = (): PolicyEngine => {
    if (engine === undefined) throw new Refusal('guard_unavailable', { details: ['policy'] })
    return engine
  }
  return {
    name: 'wasm',
    revision: () => current().revision(),
    unready: () => (engine === undefined ? (why ?? source.unready() ?? 'policy: starting') : undefined),
    decide: async (input) => current().decide(input),
    limits: async (input) => current().limits(input),
    close: async () => {
      closed = true
      await source.close()
      await opening
      await engine?.close()
    },
  }
}
