import { execFile } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { command } from './command.ts'
import { GIT_FILES, manifestOf } from './manifest.ts'
import { asAuthority, forCode, forSignatures, issue, newKeys, pem } from './test/certificates.ts'
import { pythonProgram, withFolder } from './test/folders.ts'
import { IDENTITY, newInstance, PROVIDER } from './test/sigstore.ts'

const program = pythonProgram('model_signing')
const withReference = program === undefined ? test.skip : test

const SLOW_MS = 180_000 // Python needs seconds to start.

/** The options of the reference implementation 1.1 have underscores. */
const reference = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(
    program ?? '',
    args.map((arg) => (arg.startsWith('--') ? `--${arg.slice(2).replaceAll('-', '_')}` : arg)),
  )
  return stdout
}

const ours = async (...args: readonly string[]): Promise<string> => {
  let [out, err] = ['', '']
  const io = { out: (text: string) => (out += text), err: (text: string) => (err += text), terminal: false }
  const code = await command.run(args, io)
  if (code !== 0) throw new Error(err)
  return out
}

const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string
const publicPem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string

interface Place {
  readonly model: string
  readonly sig: string
  readonly weights: string
  readonly file: (name: string, text: string) => string
}

const withModel = (work: (place: Place) => Promise<void>): Promise<void> =>
  withFolder(async (folder) => {
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    mkdirSync(join(folder, 'model/sub'), { recursive: true })
    file('model/sub/tok.txt', 'tok')
    const weights = file('model/weights.bin', 'weights')
    await work({ model: join(folder, 'model'), sig: join(folder, 'model.sig'), weights, file })
  })

withReference.each(['prime256v1', 'secp384r1', 'secp521r1'])(
  'a key on %s: what one signs the other verifies (needs model_signing)',
  (curve) =>
    withModel(async ({ model, sig, weights, file }) => {
      const keys = newKeys(curve)
      const [own, shared] = [file('key', pkcs8(keys.privateKey)), file('key.pub', publicPem(keys.publicKey))]
      const verify = ['verify', 'key', model, '--signature', sig, '--public-key', shared]
      await ours('sign', model, '--key', own, '--signature', sig)
      expect(await reference(...verify)).toContain('Verification succeeded')
      await reference('sign', 'key', model, '--signature', sig, '--private-key', own)
      expect(await ours('verify', model, '--signature', sig, '--public-key', shared)).toContain(
        'signed by key ',
      )
      writeFileSync(weights, 'other')
      await expect(reference(...verify)).rejects.toThrow('Hash mismatch')
    }),
  SLOW_MS,
)

withReference(
  'a model of one file: what one signs the other verifies (needs model_signing)',
  () =>
    withModel(async ({ weights, sig, file }) => {
      const keys = newKeys()
      const [own, shared] = [file('key', pkcs8(keys.privateKey)), file('key.pub', publicPem(keys.publicKey))]
      const verify = ['--signature', sig, '--public-key', shared]
      await ours('sign', weights, '--key', own, '--signature', sig)
      expect(await reference('verify', 'key', weights, ...verify)).toContain('Verification succeeded')
      await reference('sign', 'key', weights, '--signature', sig, '--private-key', own)
      expect(await ours('verify', weights, ...verify)).toContain('1 file as signed')
    }),
  SLOW_MS,
)

withReference(
  'a certificate: what one signs the other verifies (needs model_signing)',
  () =>
    withModel(async ({ model, sig, file }) => {
      const now = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 3_600_000) }
      const root = issue({ subject: 'root', extensions: asAuthority(), ...now })
      const between = issue({ subject: 'releases', issuer: root, extensions: asAuthority(0), ...now })
      const leaf = issue({ subject: 'signer', issuer: between, extensions: [forSignatures, forCode], ...now })
      const own = file('key', pkcs8(leaf.privateKey))
      const [signer, chain, roots] = [
        file('signer.pem', pem(leaf.certificate)),
        file('chain.pem', pem(between.certificate)),
        file('roots.pem', pem(root.certificate)),
      ]
      const certificates = ['--signing-certificate', signer, '--certificate-chain', chain]
      const verify = ['--signature', sig, '--certificate-chain', roots]
      await ours('sign', model, '--key', own, '--signature', sig, ...certificates)
      expect(await reference('verify', 'certificate', model, ...verify)).toContain('Verification succeeded')
      await reference('sign', 'certificate', model, '--signature', sig, '--private-key', own, ...certificates)
      expect(await ours('verify', model, ...verify)).toContain('signed by certificate CN=signer (SHA-256 ')
    }),
  SLOW_MS,
)

withReference(
  'the reference takes the keyless signatures of our own instance for real ones (needs model_signing)',
  () =>
    withModel(async ({ model, sig, file }) => {
      const instance = newInstance()
      const manifest = await manifestOf(model, { name: 'model', ignored: GIT_FILES })
      writeFileSync(sig, instance.sign(manifest))
      const service = [
        {
          url: 'https://example.com',
          majorApiVersion: 1,
          operator: 'example.com',
          validFor: { start: '2026-01-01T00:00:00Z' },
        },
      ]
      const config = {
        mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
        trustedRoot: JSON.parse(instance.trustedRoot) as object,
        signingConfig: {
          mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
          ...{ caUrls: service, oidcUrls: service, rekorTlogUrls: service, tsaUrls: [] },
          ...{ rekorTlogConfig: { selector: 'ANY' }, tsaConfig: { selector: 'ANY' } },
        },
      }
      const verify = (identity: string): Promise<string> =>
        reference(
          ...['verify', 'sigstore', model, '--signature', sig],
          ...['--trust-config', file('trust.json', JSON.stringify(config))],
          ...['--identity', identity, '--identity-provider', PROVIDER],
        )
      expect(await verify(IDENTITY)).toContain('Verification succeeded')
      await expect(verify('mallory@example.com')).rejects.toThrow('SANs do not match')
      const root = file('trusted_root.json', instance.trustedRoot)
      const who = ['--identity', IDENTITY, '--identity-provider', PROVIDER]
      expect(await ours('verify', model, '--signature', sig, '--trusted-root', root, ...who)).toContain(
        `signed by identity ${IDENTITY} (${PROVIDER})`,
      )
    }),
  SLOW_MS,
)
