import { createHash } from 'node:crypto'
import type { JsonObject } from '../../core/json.ts'
import { readTarGz } from '../../core/tar.ts'
import { packTarGz } from './archive.ts'
import { signedBy, signFiles, type SigningKey } from './signature.ts'

/** What guards evaluate. */
export interface Policy {
  readonly wasm: Uint8Array
  readonly data: JsonObject
}

export interface SignedBundle {
  /** Gzipped tar: `.manifest`, `data.json`, `policy.wasm`, `.signatures.json`. */
  readonly bytes: Uint8Array
  /** Names the contents: equal policies have equal revisions, whoever signs them. */
  readonly revision: string
}

/** Parts of data.json, and the package of all policies, that a bundle owns. */
export const BUNDLE_ROOTS = [
  'actions',
  'hosts',
  'limits',
  'model_routes',
  'postern',
  'roles',
  'tenants',
  'tools',
]
export const ENTRYPOINTS = ['postern/decision', 'postern/limits'] as const

const MANIFEST = '.manifest'
const DATA = 'data.json'
const WASM = 'policy.wasm'
const SIGNATURES = '.signatures.json'

/** Bytes that fit into a ConfigMap with its metadata. */
const MAX_BUNDLE = 1_000_000

/** What a bundle was made of: per source the digest of its content. It is signed too, so that an old bundle cannot pass for a new one. */
export type MadeOf = Readonly<Record<string, string>>

export interface OpenedBundle {
  readonly policy: Policy
  readonly madeOf: MadeOf
  readonly revision: string
}

/** Throws Error when it would not fit into a ConfigMap. */
export const signBundle = ({ wasm, data }: Policy, madeOf: MadeOf, key: SigningKey): SignedBundle => {
  const dataBytes = Buffer.from(JSON.stringify(data))
  const revision = createHash('sha256').update(dataBytes).update('\0').update(wasm).digest('hex').slice(0, 16)
  const manifest = {
    revision,
    roots: BUNDLE_ROOTS,
    metadata: { made_of: madeOf },
    wasm: ENTRYPOINTS.map((entrypoint) => ({ entrypoint, module: `/${WASM}` })),
  }
  const files = new Map<string, Uint8Array>([
    [MANIFEST, Buffer.from(JSON.stringify(manifest))],
    [DATA, dataBytes],
    [WASM, wasm],
  ])
  const bytes = packTarGz(new Map([...files, [SIGNATURES, signFiles(files, key)]]))
  if (bytes.length > MAX_BUNDLE) {
    throw new Error(
      `the bundle has ${bytes.length} bytes, more than the ${MAX_BUNDLE} that a ConfigMap holds; make policies or data smaller`,
    )
  }
  return { bytes, revision }
}

/** What is in a bundle that this key signed; undefined for any other bytes. */
export const openBundle = (bytes: Uint8Array, key: SigningKey): OpenedBundle | undefined => {
  try {
    const { [SIGNATURES]: signatures, ...files } = Object.fromEntries(readTarGz(bytes))
    const { [MANIFEST]: manifest, [DATA]: data, [WASM]: wasm } = files
    if (wasm === undefined || data === undefined || manifest === undefined) return undefined
    if (signatures === undefined || !signedBy(new Map(Object.entries(files)), signatures, key))
      return undefined
    const { revision, metadata } = JSON.parse(Buffer.from(manifest).toString()) as Manifest
    const policy = { wasm, data: JSON.parse(Buffer.from(data).toString()) as JsonObject }
    return { policy, madeOf: metadata?.made_of ?? {}, revision }
  } catch {
    return undefined
  }
}

interface Manifest {
  readonly revision: string
  readonly metadata?: { readonly made_of?: MadeOf }
}
