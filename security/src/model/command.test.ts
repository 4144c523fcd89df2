import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { command } from './command.ts'
import { asAuthority, forCode, forSignatures, issue, newKeys, pem } from './test/certificates.ts'
import { withFolder } from './test/folders.ts'
import { IDENTITY, newInstance, PROVIDER } from './test/sigstore.ts'
import { manifestOf } from './manifest.ts'

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const run = async (...args: readonly string[]): Promise<Ended> => {
  let [out, err] = ['', '']
  const io = { out: (text: string) => (out += text), err: (text: string) => (err += text), terminal: false }
  return { code: await command.run(args, io), out, err }
}

interface Place {
  readonly model: string
  readonly registry: string
  readonly file: (name: string, text: string) => string
}

const withModel = <Result>(work: (place: Place) => Promise<Result>): Promise<Result> =>
  withFolder((folder) => {
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    mkdirSync(join(folder, 'model'))
    file('model/weights.bin', 'weights')
    return work({ model: join(folder, 'model'), registry: join(folder, 'models.json'), file })
  })

const instance = newInstance()
const keyless = async (model: string): Promise<void> => {
  const manifest = await manifestOf(model, { name: 'model', ignored: ['model.sig'] })
  writeFileSync(join(model, 'model.sig'), instance.sign(manifest))
}

test('registry, list and bill of materials name the identity that signed', () =>
  withModel(async ({ model, registry, file }) => {
    await keyless(model)
    const whose = [
      ...['--trusted-root', file('trusted_root.json', instance.trustedRoot)],
      ...['--identity', IDENTITY, '--identity-provider', PROVIDER],
    ]
    const registered = await run('register', 'm', model, '--version', '1', '--registry', registry, ...whose)
    expect(registered).toEqual({
      code: 0,
      out: `m 1 registered, signed by identity ${IDENTITY} (${PROVIDER})\n`,
      err: '',
    })
    expect((await run('list', '--registry', registry)).out).toContain(`by identity ${IDENTITY} (${PROVIDER})`)
    const bom = (await run('bom', '--registry', registry)).out
    expect(bom).toContain(`"value": "identity ${IDENTITY} (${PROVIDER})"`)
    const other = await run('verify', model, ...whose.with(3, 'mallory@example.com'))
    expect(other).toMatchObject({ code: 1, out: '' })
    expect(other.err).toContain(`is by ${IDENTITY} of ${PROVIDER}, not by mallory@example.com`)
  }))

test('what is signed with a certificate is verified by its root, and both say who signed', () =>
  withModel(async ({ model, registry, file }) => {
    const now = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 3_600_000) }
    const root = issue({ subject: 'root', extensions: asAuthority(), ...now })
    const leaf = issue({ subject: 'signer', issuer: root, extensions: [forSignatures, forCode], ...now })
    const key = file('key.pem', leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    const own = file('signer.pem', pem(leaf.certificate))
    expect(await run('sign', model, '--key', key, '--signing-certificate', own)).toMatchObject({
      code: 0,
      err: '',
    })
    const whose = ['--certificate-chain', file('root.pem', pem(root.certificate))]
    expect((await run('verify', model, ...whose)).out).toContain('signed by certificate CN=signer (SHA-256 ')
    await run('register', 'm', model, '--version', '1', '--registry', registry, ...whose)
    expect(readFileSync(registry, 'utf8')).toContain('"signer": "certificate CN=signer (SHA-256 ')
    expect((await run('verify', model, '--public-key', key)).err).toContain('was made with a certificate')
    const alien = file('other.pem', pem(issue({ subject: 'other' }).certificate))
    expect((await run('sign', model, '--key', key, '--signing-certificate', alien)).err).toContain(
      'not that of the key',
    )
  }))

const NAMES = ['--identity', IDENTITY, '--identity-provider', PROVIDER]

test.each<readonly [readonly string[], string]>([
  [[], 'one of --public-key, --certificate-chain and --trusted-root'],
  [NAMES, 'one of --public-key, --certificate-chain and --trusted-root'],
  [['--public-key', 'a', '--certificate-chain', 'b'], 'one of --public-key, --certificate-chain and'],
  [['--public-key', 'a', ...NAMES], '--identity and --identity-provider go with --trusted-root only'],
  [['--trusted-root', 'a'], '--identity is missing: anybody can sign under Sigstore'],
  [['--trusted-root', 'a', ...NAMES.slice(0, 2)], '--identity-provider is missing'],
  [['--trusted-root', 'a', '--identity', '', ...NAMES.slice(2)], '--identity is missing'],
  [['--trusted-root', 'a', '--identity', 'a'.repeat(240), ...NAMES.slice(2)], 'more than 240 characters'],
])('wrong use verifies nothing: %j', (whose, message) =>
  withModel(async ({ model }) => {
    const { code, out, err } = await run('verify', model, ...whose)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
  }),
)

test.each([
  ['--public-key', 'is no public key as PEM'],
  ['--certificate-chain', 'has no certificates as PEM'],
  ['--trusted-root', 'is no trusted root of Sigstore'],
])('%s: a file that is something else is refused', (option, message) =>
  withModel(async ({ model, file }) => {
    const names = option === '--trusted-root' ? NAMES : []
    const whose = [option, file('other', '{"mediaType":"x"}'), ...names]
    expect((await run('verify', model, ...whose)).err).toContain(message)
    expect((await run('verify', model, option, 'absent', ...names)).err).toContain('at absent')
  }),
)

test('a key alone signs without a certificate, and a chain needs one', () =>
  withModel(async ({ model, file }) => {
    const key = file('key.pem', newKeys().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    expect(await run('sign', model, '--key', key)).toMatchObject({ code: 0 })
    expect(await run('sign', model, '--key', key, '--certificate-chain', key)).toMatchObject({ code: 2 })
  }))

test('a model that is one file has its signature beside it', () =>
  withModel(async ({ model, file }) => {
    const { publicKey, privateKey } = newKeys()
    const key = file('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    const shared = file('key.pub', publicKey.export({ type: 'spki', format: 'pem' }) as string)
    const weights = join(model, 'weights.bin')
    expect((await run('sign', weights, '--key', key)).out).toContain(`${weights}.sig: signs 1 file, `)
    expect(await run('verify', weights, '--public-key', shared)).toMatchObject({ code: 0 })
    file('model/weights.bin', 'other')
    expect((await run('verify', weights, '--public-key', shared)).err).toContain('was changed')
  }))
