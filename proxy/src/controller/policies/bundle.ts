import { createHash } from 'node:crypto'
import type { JsonObject } from '../../core/json.ts'
import { packTarGz, unpackTarGz } from './archive.ts'
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
export const BUNDLE_ROOTS = ['actions', 'limits', 'model_routes', 'postern', 'roles', 'tenants', 'tools']
export const ENTRYPOINTS = ['postern/decision', 'postern/limits'] as const

const MANIFEST = '.manifest'
const DATA = 'data.json'
const WASM = 'policy.wasm'
const SIGNATURES = '.signatures.json'

/** Bytes that fit into a ConfigMap with its metadata. */
const MAX_BUNDLE = 1_000_000

/** Throws Error when it would not fit into a ConfigMap. */
export const signBundle = ({ wasm, data }: Policy, key: SigningKey): SignedBundle => {
  const dataBytes = Buffer.from(JSON.stringify(data))
  const revision = createHash('sha256').update(dataBytes).update('\0').update(wasm).digest('hex').slice(0, 16)
  const manifest = {
    revision,
    roots: BUNDLE_ROOTS,
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

/** The policy in a bundle that this key signed; undefined for any other bytes. */
export const openBundle = (bytes: Uint8Array, key: SigningKey): Policy | undefined => {
  try {
    const { [SIGNATURES]: signatures, ...files } = Object.fromEntries(unpackTarGz(bytes))
    const wasm = files[WASM]
    const data = files[DATA]
    if (wasm === undefined || data === undefined || signatures === undefined) return undefined
    if (!signedBy(new Map(Object.entries(files)), signatures, key)) return undefined
    return { wasm, data: JSON.parse(Buffer.from(data).toString()) as JsonObject }
  } catch {
    return undefined
  }
}
