import { generateKeyPairSync } from 'node:crypto'
import { dirname } from 'node:path'
import { auditorPublicKey } from '../audit/capture-key.ts'
import { readText } from '../compose/files.ts'
import { composeIdentity } from '../compose/identity.ts'
import { composePolicy } from '../compose/parts.ts'
import { defaultScanner } from '../compose/scanner.ts'
import { composeModels } from '../compose/upstreams.ts'
import type { Config } from '../config/schema.ts'
import { noLog } from '../core/log.ts'
import { readPasswordHash } from '../identity/password.ts'
import { readTls } from '../server/tls-files.ts'
import { promMeter } from '../telemetry/metrics.ts'

/** What is wrong in the files that a good configuration names, each with the file or key. Nothing is started, written or sent. */
export const badFiles = async (config: Config): Promise<readonly string[]> => {
  const instruments = { meter: promMeter({ maxSeries: 100, processMetrics: false }), log: noLog }
  const { server, policy, inspection } = config
  const found: string[] = []
  const attempt = async (what: string, make: () => unknown): Promise<void> => {
    try {
      const made = await make()
      if (isOpen(made)) await made.close()
    } catch (error) {
      const { message } = error as Error
      found.push(message.startsWith(what) ? message : `${what}: ${message}`)
    }
  }
  const identity = withoutNetwork(config.identity)
  if (Object.keys(identity).length > 0)
    await attempt('identity', () => composeIdentity(identity, { ...instruments, ...keys() }))
  await attempt('upstreams', () => composeModels(config, instruments))
  // Certificates that the guard is given at run time are not there yet.
  const given = (file: string): boolean => config.workload?.directory === dirname(file)
  if (server.tls !== undefined && !given(server.tls.certFile))
    await attempt('server.tls', () => server.tls && readTls(server.tls))
  if (
    policy.engine === 'wasm' &&
    policy.remote === undefined &&
    (policy.bundle ?? policy.dataFile) !== undefined
  )
    await attempt('policy', () => composePolicy(config, instruments))
  // Compiling every rule takes a second; only names that were written can be wrong.
  if (inspection.disableRules.length > 0)
    await attempt('inspection', () => void defaultScanner(inspection.disableRules))
  return found
}

/** What is wrong with the secrets and keys that are only looked at when the guard starts, each with its place in the configuration. */
export const badKeys = ({ admin: { ui }, audit: { capture } }: Config): readonly Misplaced[] => {
  const found: Misplaced[] = []
  if (ui !== undefined && readPasswordHash(ui.passwordHash.reveal()) === undefined)
    found.push({
      path: ['admin', 'ui', 'passwordHash'],
      message: `${ui.passwordHash.source} holds no scrypt hash; postern token password makes one`,
    })
  if (capture !== undefined)
    try {
      auditorPublicKey(readText(capture.publicKeyFile))
    } catch (error) {
      const { message } = error as Error
      const file = message.includes(capture.publicKeyFile) ? '' : `${capture.publicKeyFile}: `
      found.push({ path: ['audit', 'capture', 'publicKeyFile'], message: `${file}${message}` })
    }
  return found
}

export interface Misplaced {
  readonly path: readonly string[]
  readonly message: string
}

const withoutNetwork = ({
  apiKeys,
  local,
  certificates,
  anonymous,
}: Config['identity']): Config['identity'] => ({
  ...(apiKeys && { apiKeys }),
  ...(local && { local }),
  ...(certificates && { certificates }),
  ...(anonymous && { anonymous }),
})

const keys = () => ({
  localKey: generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
  keptKeys: new Map(),
})

const isOpen = (made: unknown): made is { close(): Promise<void> } =>
  typeof made === 'object' && made !== null && 'close' in made && typeof made.close === 'function'
