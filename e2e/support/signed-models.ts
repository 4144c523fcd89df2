import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CLI = join(import.meta.dirname, '../../security/src/cli.ts')

/** Base64 of the content of each file, by `<folder>/<name>`. */
export type Files = Readonly<Record<string, string>>

/** What the guard's records say of a version, and the log of what verified it. */
export interface Signed {
  readonly digest: string
  readonly signer: string
}

/** A team that signs models called `support` with a key of its own, and keeps its versions in a registry file. */
export interface Workshop {
  readonly publicKey: string
  /** A new version, written to the folder of that name, signed and registered. */
  readonly release: (version: string, how: { readonly folder: string; readonly servesAs: string }) => Signed
  readonly promote: (version: string, alias: 'champion' | 'canary') => void
  readonly rollBack: () => void
  /** Text of the registry file. */
  readonly registry: () => string
  /** As they lie in the folder now. */
  readonly files: (folder: string) => Files
  /** Changes one byte of the weights, as nobody should. */
  readonly spoil: (folder: string) => void
  readonly end: () => void
}

export const workshop = (): Workshop => {
  const home = mkdtempSync(join(tmpdir(), 'postern-models-'))
  const inside = (...path: readonly string[]): string => join(home, ...path)
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  writeFileSync(inside('model.key'), privateKey)
  writeFileSync(inside('model.pub'), publicKey)
  const registry = (): string => readFileSync(inside('models.json'), 'utf8')
  const run = (...args: readonly string[]): void => {
    execFileSync(process.execPath, [CLI, 'model', ...args], { cwd: home })
  }
  const register = (command: string, ...args: readonly string[]): void =>
    run(command, 'support', ...args, '--registry', 'models.json')
  return {
    publicKey,
    release: (version, { folder, servesAs }) => {
      mkdirSync(inside(folder))
      writeFileSync(inside(folder, 'config.json'), '{}')
      writeFileSync(inside(folder, 'weights.bin'), Buffer.alloc(2048, version))
      run('sign', folder, '--key', 'model.key')
      const proof = ['--version', version, '--public-key', 'model.pub', '--serves-as', servesAs]
      register('register', folder, ...proof)
      const { models } = JSON.parse(registry()) as {
        models: { support: { versions: Readonly<Record<string, Signed>> } }
      }
      const { digest = '', signer = '' } = models.support.versions[version] ?? {}
      return { digest, signer }
    },
    promote: (version, alias) => register('promote', version, '--alias', alias),
    rollBack: () => register('rollback'),
    registry,
    files: (folder) =>
      Object.fromEntries(
        readdirSync(inside(folder)).map((name) => [
          `${folder}/${name}`,
          readFileSync(inside(folder, name)).toString('base64'),
        ]),
      ),
    spoil: (folder) => {
      const weights = readFileSync(inside(folder, 'weights.bin'))
      weights.writeUInt8(weights.readUInt8(1024) ^ 1, 1024)
      writeFileSync(inside(folder, 'weights.bin'), weights)
    },
    end: () => rmSync(home, { recursive: true, force: true }),
  }
}

/** Program of a download: writes FILES below /models, which nobody has looked at; when it runs again there, FILES_AGAIN. */
export const FETCH = `
const { existsSync, mkdirSync, writeFileSync } = require('node:fs')
const { dirname } = require('node:path')
const { FILES, FILES_AGAIN = FILES } = process.env
const files = existsSync('/models/fetched') ? FILES_AGAIN : FILES
writeFileSync('/models/fetched', '')
for (const [path, text] of Object.entries(JSON.parse(files))) {
  mkdirSync(dirname('/models/' + path), { recursive: true })
  writeFileSync('/models/' + path, Buffer.from(text, 'base64'))
}`
