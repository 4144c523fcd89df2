import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readTarGz } from '../core/tar.ts'

/** A policy ready to be run. */
export interface Bundle {
  readonly module: WebAssembly.Module
  readonly data: Readonly<Record<string, unknown>>
  readonly revision: string
}

export interface BundleFiles {
  /** A bundle of `opa build -t wasm`: the `.tar.gz`, or a folder with what is in it. The built-in policies when absent. */
  readonly bundle?: string
  /** A JSON file that takes the place of the bundle's data.json. */
  readonly data?: string
  /** Throws Error when the packed bundle must not be used: asked about the very bytes that are loaded. */
  readonly verify?: (archive: Uint8Array) => Promise<void>
}

/** Bytes of a file on disk. */
const MAX_FILE_BYTES = 32 * 1024 * 1024

const WASM = 'policy.wasm'
const DATA = 'data.json'
const MANIFEST = '.manifest'

/** Throws Error that says which file is wrong and how. */
export const readBundle = async ({ bundle, data, verify }: BundleFiles): Promise<Bundle> => {
  const files = bundle === undefined ? await embedded() : await packed(bundle, verify)
  const own = data === undefined ? undefined : await readBounded(data)
  const wasm = files.get(WASM)
  const dataBytes = own ?? files.get(DATA)
  if (wasm === undefined)
    throw new Error(`${bundle ?? 'bundle'}: has no ${WASM}; build it with: opa build -t wasm`)
  if (dataBytes === undefined) throw new Error(`${bundle ?? 'bundle'}: has no ${DATA}`)
  const nested = [...files.keys()].find((path) => path.endsWith(`/${DATA}`))
  if (nested !== undefined)
    throw new Error(`${bundle ?? 'bundle'}: ${nested}: only ${DATA} at the top is read`)
  const revision = revisionOf(files.get(MANIFEST), [wasm, dataBytes])
  return {
    module: await compile(wasm, bundle ?? 'bundle'),
    data: parseObject(dataBytes, data ?? `${bundle ?? 'bundle'}: ${DATA}`),
    revision: own === undefined ? revision : `${revision}+data.${digest([own])}`,
  }
}

/** The files whose change means another policy. */
export const bundlePaths = ({ bundle, data }: BundleFiles): readonly string[] => [
  ...(bundle === undefined ? [] : [bundle, ...[WASM, DATA, MANIFEST].map((name) => join(bundle, name))]),
  ...(data === undefined ? [] : [data]),
]

const embedded = async (): Promise<ReadonlyMap<string, Uint8Array>> => {
  const file = (name: string): Promise<Buffer> => readFile(new URL(`./generated/${name}`, import.meta.url))
  const [wasm, data, manifest] = await Promise.all([file(WASM), file(DATA), file('manifest.json')])
  return new Map([
    [WASM, wasm],
    [DATA, data],
    [MANIFEST, manifest],
  ])
}

const packed = async (
  path: string,
  verify: BundleFiles['verify'],
): Promise<ReadonlyMap<string, Uint8Array>> => {
  if (verify === undefined && (await stat(path)).isDirectory()) return unpacked(path)
  const archive = await readBounded(path)
  await verify?.(archive)
  try {
    return readTarGz(archive)
  } catch (cause) {
    throw new Error(`${path}: is not a bundle: ${cause instanceof Error ? cause.message : 'unreadable'}`, {
      cause,
    })
  }
}

const unpacked = async (folder: string): Promise<ReadonlyMap<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>()
  for (const name of [WASM, DATA, MANIFEST]) {
    const bytes = await readBounded(join(folder, name)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
    if (bytes !== undefined) files.set(name, bytes)
  }
  return files
}

const readBounded = async (path: string): Promise<Uint8Array> => {
  const { size } = await stat(path)
  if (size > MAX_FILE_BYTES) throw new Error(`${path}: is larger than ${MAX_FILE_BYTES} bytes`)
  return readFile(path)
}

const compile = async (wasm: Uint8Array, path: string): Promise<WebAssembly.Module> => {
  try {
    return await WebAssembly.compile(new Uint8Array(wasm))
  } catch (cause) {
    throw new Error(`${path}: ${WASM} does not compile`, { cause })
  }
}

/** The manifest's revision goes into every audit record; without one, what the bundle is made of. */
const revisionOf = (manifest: Uint8Array | undefined, contents: readonly Uint8Array[]): string => {
  const { revision } = manifest === undefined ? { revision: undefined } : parseObject(manifest, MANIFEST)
  if (revision === undefined || revision === '') return `sha256.${digest(contents)}`
  if (typeof revision !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(revision)) {
    throw new Error(`${MANIFEST}: revision must be 1 to 128 visible ASCII characters`)
  }
  return revision
}

const digest = (contents: readonly Uint8Array[]): string =>
  contents
    .reduce((hash, bytes) => hash.update(bytes), createHash('sha256'))
    .digest('hex')
    .slice(0, 16)

const parseObject = (bytes: Uint8Array, path: string): Readonly<Record<string, unknown>> => {
  const value = parseJson(bytes, path)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${path}: is not a JSON object`)
  }
  return value as Readonly<Record<string, unknown>>
}

const parseJson = (bytes: Uint8Array, path: string): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Error(`${path}: is not JSON`, { cause })
  }
}
