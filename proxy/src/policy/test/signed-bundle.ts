import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CompactSign } from 'jose'
import { readTarGz } from '../../core/tar.ts'
import { tarGz } from './real-opa.ts'

export interface KeyPair {
  readonly algorithm: 'ES256' | 'RS256' | 'EdDSA'
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly publicPem: string
}

export const keyPair = (algorithm: KeyPair['algorithm'] = 'ES256'): KeyPair => {
  const pair =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : algorithm === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519')
  return { algorithm, ...pair, publicPem: String(pair.publicKey.export({ type: 'spki', format: 'pem' })) }
}

export type BundleContents = Readonly<Record<string, string | Uint8Array>>

/** The policies that the guard embeds, as the files of a bundle. */
export const embeddedFiles = (revision: string): Record<string, string | Uint8Array> => {
  const generated = (name: string): Buffer => readFileSync(new URL(`../generated/${name}`, import.meta.url))
  return {
    'policy.wasm': generated('policy.wasm'),
    'data.json': generated('data.json'),
    '.manifest': JSON.stringify({ ...JSON.parse(generated('manifest.json').toString()), revision }),
  }
}

const place = (folder: string, files: BundleContents): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

const withFolder = <T>(act: (folder: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-signed-'))
  try {
    return act(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A bundle by the system's tar. */
export const packed = (files: BundleContents): Uint8Array =>
  withFolder((folder) => {
    const bundle = join(folder, 'bundle')
    mkdirSync(bundle)
    place(bundle, files)
    tarGz(bundle, join(folder, 'bundle.tar.gz'), ...Object.keys(files))
    return readFileSync(join(folder, 'bundle.tar.gz'))
  })

/** `.signatures.json` by the real OPA. */
export const signedByOpa = (opa: string, files: BundleContents, pair: KeyPair): Uint8Array =>
  withFolder((folder) => {
    const bundle = join(folder, 'bundle')
    mkdirSync(bundle)
    place(bundle, files)
    const key = join(folder, 'key.pem')
    writeFileSync(key, pemOf(pair))
    const args = ['--signing-alg', pair.algorithm, '--output-file-path', folder, '--bundle', '.']
    execFileSync(opa, ['sign', '--signing-key', key, ...args], { cwd: bundle })
    return readFileSync(join(folder, '.signatures.json'))
  })

/** A whole bundle that the real OPA builds and signs. */
export const builtByOpa = (opa: string, files: BundleContents, pair: KeyPair): Uint8Array =>
  withFolder((folder) => {
    const bundle = join(folder, 'bundle')
    mkdirSync(bundle)
    place(bundle, files)
    const key = join(folder, 'key.pem')
    writeFileSync(key, pemOf(pair))
    execFileSync(opa, [
      ...['build', '--signing-key', key, '--signing-alg', pair.algorithm],
      ...['-o', join(folder, 'built.tar.gz'), '--bundle', bundle],
    ])
    return readFileSync(join(folder, 'built.tar.gz'))
  })

/** What the real OPA says to a signed bundle: undefined when it takes it. */
export const opaVerdict = (opa: string, archive: Uint8Array, pair: KeyPair): string | undefined =>
  withFolder((folder) => {
    const [bundle, key] = [join(folder, 'bundle.tar.gz'), join(folder, 'key.pub')]
    writeFileSync(bundle, archive)
    writeFileSync(key, pair.publicPem)
    try {
      const args = [
        '--verification-key',
        key,
        '--verification-key-id',
        'postern',
        '--signing-alg',
        pair.algorithm,
      ]
      execFileSync(opa, ['build', '-b', bundle, ...args, '-o', join(folder, 'out.tar.gz')], {
        stdio: ['ignore', 'pipe', 'pipe'],
        encoding: 'utf8',
      })
      return undefined
    } catch (error) {
      const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
      return `${stdout}${stderr}`.slice(0, 500)
    }
  })

// OPA reads the older form of each key, Ed25519 aside.
const pemOf = ({ algorithm, privateKey }: KeyPair): string =>
  String(
    algorithm === 'ES256'
      ? privateKey.export({ type: 'sec1', format: 'pem' })
      : algorithm === 'RS256'
        ? privateKey.export({ type: 'pkcs1', format: 'pem' })
        : privateKey.export({ type: 'pkcs8', format: 'pem' }),
  )

/** As OPA's bundle format says, for claims that OPA's own tools do not write. Hashes raw bytes: give data and manifest in canonical form. */
export const signatures = async (
  files: BundleContents,
  pair: KeyPair,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> => {
  const listed = Object.entries(files).map(([name, content]) => ({
    name,
    hash: createHash('sha256').update(content).digest('hex'),
    algorithm: 'SHA-256',
  }))
  const token = await new CompactSign(Buffer.from(JSON.stringify({ files: listed, ...claims })))
    .setProtectedHeader({ alg: pair.algorithm, kid: 'postern' })
    .sign(pair.privateKey)
  return JSON.stringify({ signatures: [token] })
}

export const unpacked = (archive: Uint8Array): ReadonlyMap<string, Uint8Array> => readTarGz(archive)

export const filesOf = (files: BundleContents): ReadonlyMap<string, Uint8Array> =>
  new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]))

/** The embedded policies with data and manifest written as OPA hashes them, so that no OPA is needed to sign them. */
export const canonicalFiles = (revision: string): BundleContents => {
  const { 'policy.wasm': wasm = '', 'data.json': data } = embeddedFiles(revision)
  return {
    '.manifest': JSON.stringify({ revision }),
    'data.json': JSON.stringify(sorted(JSON.parse(String(data)))),
    'policy.wasm': wasm,
  }
}

const sorted = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const signedArchive =
  (pair: KeyPair) =>
  async (files: BundleContents, claims: Readonly<Record<string, unknown>> = {}): Promise<Uint8Array> =>
    packed({ ...files, '.signatures.json': await signatures(files, pair, claims) })
