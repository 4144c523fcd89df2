import type { JsonObject } from '../core/json.ts'
import type { Instruments } from './instruments.ts'
import { jsonClient } from './json-client.ts'
import type { JsonClient } from './json-client.ts'
import { readKeySet } from './key-set.ts'
import type { Algorithm } from './key-set.ts'
import { remoteKeys } from './key-source.ts'
import type { KeptKeys, KeySource } from './key-source.ts'

const MAX_URL = 2048

/** Where an issuer publishes its keys, and how they are fetched and kept. */
export interface IssuerKeysOptions {
  /** Address of the JWK set. Without it, it is looked up at `<issuer>/.well-known/openid-configuration` at every fetch. */
  readonly jwksUrl?: string
  /** Lets a key server that is not on this machine be asked over plain http. False when absent: keys could be swapped on the way. */
  readonly allowHttp?: boolean
  /** PEM of the authorities that vouch for the key server, instead of the system's. */
  readonly ca?: string
  /** For one fetch, in milliseconds; 5000 when absent. */
  readonly timeoutMs?: number
  /** Of one answer; 256 KiB when absent. */
  readonly maxBytes?: number
  /** Seconds; 600 when absent. */
  readonly refreshS?: number
  /** Seconds; 21600 (six hours) when absent. At least `refreshS`. */
  readonly maxStaleS?: number
  /** Seconds; 30 when absent. */
  readonly coolDownS?: number
  /** Seconds; 1 when absent. */
  readonly retryMinS?: number
  /** Seconds; 60 when absent. */
  readonly retryMaxS?: number
}

export interface Issuer extends IssuerKeysOptions {
  readonly name: string
  readonly issuer: string
  readonly algorithms: readonly Algorithm[]
  readonly keptKeys?: KeptKeys
}

/** Throws an Error that says what to change when the options cannot work. */
export const checkIssuerKeys = (issuer: Issuer): void => {
  const { refreshS, maxStaleS } = { ...DEFAULTS, ...issuer }
  if (!(refreshS > 0 && refreshS <= 86_400 && maxStaleS >= refreshS))
    throw new Error(`issuer ${issuer.name}: refreshS must be up to 86400, and maxStaleS at least refreshS`)
  keySetAddress(issuer)
}

const DEFAULTS = { refreshS: 600, maxStaleS: 21_600, coolDownS: 30, retryMinS: 1, retryMaxS: 60 }

/** Keys of an issuer over HTTP; the first fetch starts at once. Throws like `checkIssuerKeys`. */
export const issuerKeys = (issuer: Issuer, instruments: Instruments): KeySource => {
  checkIssuerKeys(issuer)
  const locate = keySetAddress(issuer)
  const client = jsonClient({
    timeoutMs: issuer.timeoutMs ?? 5_000,
    maxBytes: issuer.maxBytes ?? 262_144,
    ...(issuer.ca === undefined ? {} : { ca: issuer.ca }),
  })
  const load = async () => readKeySet(await client.get(await locate(client)), issuer.algorithms)
  const { keptKeys } = issuer
  const kept = keptKeys === undefined ? {} : { kept: { keys: keptKeys, as: sourceName(issuer) } }
  const keys = remoteKeys(load, { ...DEFAULTS, ...issuer, ...kept }, instruments)
  return {
    ...keys,
    close: async () => {
      const closed = keys.close()
      await client.close()
      await closed
    },
  }
}

/** Keys are only taken over from a source that asks the same server in the same way for the same keys. */
const sourceName = ({ issuer, jwksUrl, allowHttp, ca, algorithms }: Issuer): string =>
  JSON.stringify([issuer, jwksUrl, allowHttp, ca, algorithms])

const keySetAddress = (issuer: Issuer): ((client: JsonClient) => Promise<URL>) => {
  const { name, jwksUrl } = issuer
  const from = jwksUrl ?? `${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const url = safeUrl(from, issuer.allowHttp === true ? 'any' : 'loopback')
  if (url === undefined)
    throw new Error(
      `issuer ${name}: its address must be an https URL; plain http needs allowHttp, or this machine's loopback`,
    )
  if (jwksUrl !== undefined) return () => Promise.resolve(url)
  const http = issuer.allowHttp === true ? 'any' : isLoopback(url) ? 'loopback' : 'none'
  return async (client) => discovered(await client.get(url), issuer.issuer, http)
}

/** What may be asked over plain http. A remote issuer may not send us to our own loopback. */
type PlainHttp = 'none' | 'loopback' | 'any'

const discovered = (configuration: JsonObject, issuer: string, http: PlainHttp): URL => {
  if (configuration.issuer !== issuer) throw new Error('discovery names another issuer')
  const { jwks_uri: address } = configuration
  const url = typeof address === 'string' ? safeUrl(address, http) : undefined
  if (url === undefined) throw new Error('discovery has no acceptable jwks_uri')
  return url
}

const safeUrl = (address: string, http: PlainHttp): URL | undefined => {
  const url = address.length <= MAX_URL ? URL.parse(address) : null
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  if (url.protocol === 'https:') return url
  if (url.protocol !== 'http:' || http === 'none') return undefined
  return http === 'any' || isLoopback(url) ? url : undefined
}

const isLoopback = ({ hostname }: URL): boolean =>
  hostname === '127.0.0.1' || hostname === '[::1]' || hostname === 'localhost'
