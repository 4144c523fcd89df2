import { execFile, execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { manifestOf } from './manifest.ts'
import { openSignature, signManifest } from './signature.ts'
import { withFolder } from './test/folders.ts'
import { IDENTITY, newInstance, PROVIDER } from './test/sigstore.ts'

const PROGRAM = join(import.meta.dirname, 'init-container.ts')
const pair = generateKeyPairSync('ec', {
  namedCurve: 'prime256v1',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const privateKey = createPrivateKey(pair.privateKey)
const trust = { method: 'key', publicKey: createPublicKey(pair.publicKey) } as const

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const run = (args: readonly string[], script = [PROGRAM]): Promise<Ended> =>
  new Promise((ready) => {
    const child = execFile(process.execPath, [...script, ...args], (_, out, err) =>
      ready({ code: child.exitCode ?? -1, out, err }),
    )
  })

interface Place {
  readonly folder: string
  readonly model: string
  readonly key: string
  readonly verify: (...args: readonly string[]) => Promise<Ended>
}

/** A model of two files, signed, in a folder beside its key. */
const withModel = <Result>(work: (place: Place) => Promise<Result>): Promise<Result> =>
  withFolder(async (folder) => {
    const [model, key] = [join(folder, 'model'), join(folder, 'model.pub')]
    mkdirSync(model)
    writeFileSync(key, pair.publicKey)
    writeFileSync(join(model, 'config.json'), '{}')
    writeFileSync(join(model, 'weights.bin'), 'weights')
    await signed(model)
    return work({ folder, model, key, verify: (...args) => run([model, '--public-key', key, ...args]) })
  })

const signed = async (model: string): Promise<void> => {
  const manifest = await manifestOf(model, { name: 'support', ignored: ['model.sig'] })
  writeFileSync(join(model, 'model.sig'), signManifest(manifest, { privateKey }))
}

test('a signed model passes, and one line says which it is', async () => {
  await withModel(async ({ model, verify }) => {
    const { code, out, err } = await verify()
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toEqual({
      verified: model,
      name: 'support',
      files: 2,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      signer: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })
})

test.each<readonly [string, (place: Place) => void, string]>([
  [
    'a changed byte',
    ({ model }) => writeFileSync(join(model, 'weights.bin'), 'weightt'),
    'weights.bin was changed',
  ],
  ['no signature', ({ model }) => rmSync(join(model, 'model.sig')), 'there is no signature at'],
  ['no key', ({ key }) => rmSync(key), 'there is no public key at'],
  ['a key that is none', ({ key }) => writeFileSync(key, 'key'), 'is no public key as PEM'],
  ['no folder', ({ model }) => rmSync(model, { recursive: true }), 'there is no signature at'],
  [
    'a signature of 33 MiB',
    ({ model }) => truncateSync(join(model, 'model.sig'), 33 << 20),
    'is too large for a signature',
  ],
  [
    'a link to a file',
    ({ model }) => symlinkSync('/dev/zero', join(model, 'zero')),
    'zero: is no regular file',
  ],
  [
    'a signature that is a named pipe',
    ({ model }) => {
      rmSync(join(model, 'model.sig'))
      execFileSync('mkfifo', [join(model, 'model.sig')])
    },
    'model.sig: is no regular file',
  ],
  [
    'a signature that never ends',
    ({ model }) => {
      rmSync(join(model, 'model.sig'))
      symlinkSync('/dev/zero', join(model, 'model.sig'))
    },
    'model.sig: is no regular file',
  ],
  [
    'six files with the longest names',
    ({ model }) => {
      for (const letter of 'äöüéèà') writeFileSync(join(model, letter.repeat(127)), '')
    },
    'was not signed and 1 more. Fetch',
  ],
  [
    'folders in folders in folders',
    ({ model }) => mkdirSync(join(model, 'a/'.repeat(70)), { recursive: true }),
    'folders are nested deeper than 64',
  ],
  [
    'a file whose name writes to the terminal',
    ({ model }) => writeFileSync(join(model, 'a\u001b[2J\nok'), ''),
    'a?[2J?ok was not signed',
  ],
])('%s ends with 1 and one line that says so', async (_, change, message) => {
  await withModel(async (place) => {
    change(place)
    const { code, out, err } = await place.verify()
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(message)
    expect(err).toMatch(/^the model is not served: [^\n]+\n$/)
    // What Kubernetes keeps of a termination message.
    expect(Buffer.byteLength(err)).toBeLessThan(2048)
  })
})

test('an older model by the same key is refused when the digest is given', async () => {
  await withModel(async ({ model, verify }) => {
    const { digest } = JSON.parse((await verify()).out) as { digest: string }
    expect(await verify('--digest', digest)).toMatchObject({ code: 0 })
    writeFileSync(join(model, 'weights.bin'), 'older')
    await signed(model)
    expect(await verify()).toMatchObject({ code: 0 })
    expect((await verify('--digest', digest)).err).toContain('it is not the model that was asked for')
  })
})

test.each([[[]], [['folder']], [['folder', 'other', '--public-key', 'key']], [['folder', '--key', 'key']]])(
  'wrong use verifies nothing: %j',
  async (args) => {
    expect(await run(args)).toMatchObject({ code: 1, out: '' })
  },
)

test('a keyless signature passes, and the line names the identity; without one nothing does', async () => {
  await withModel(async ({ folder, model }) => {
    const instance = newInstance()
    const root = join(folder, 'trusted_root.json')
    writeFileSync(root, instance.trustedRoot)
    const manifest = await manifestOf(model, { name: 'support', ignored: ['model.sig'] })
    writeFileSync(join(model, 'model.sig'), instance.sign(manifest))
    const whose = ['--trusted-root', root, '--identity', IDENTITY, '--identity-provider', PROVIDER]
    expect(JSON.parse((await run([model, ...whose])).out)).toMatchObject({
      signer: `identity ${IDENTITY} (${PROVIDER})`,
    })
    const other = await run([model, ...whose.with(3, 'mallory@example.com')])
    expect(other).toMatchObject({ code: 1, out: '' })
    expect(other.err).toMatch(
      /^the model is not served: the signature is by release@example.com of [^\n]+\n$/,
    )
    expect((await run([model, ...whose.slice(0, 2)])).err).toContain('--identity is missing')
  })
})

// From /proc, since what getrusage says of a forked process begins with the most that its parent held.
const withProc = existsSync('/proc/self/status') ? test : test.skip

withProc(
  'a file larger than memory is hashed in pieces (needs /proc)',
  async () => {
    await withModel(async ({ model, key }) => {
      truncateSync(join(model, 'weights.bin'), 1 << 30)
      await signed(model)
      const measured = `await import(${JSON.stringify(PROGRAM)})
      console.error(/VmHWM:\\s*(\\d+) kB/.exec(process.getBuiltinModule('fs').readFileSync('/proc/self/status', 'utf8'))[1])`
      const { code, err } = await run(
        [model, '--public-key', key],
        ['--input-type=module', '--eval', measured, '--'],
      )
      expect(code).toBe(0)
      expect(Number(err) / 1024).toBeLessThan(256)
    })
  },
  120_000,
)

test.each(['../weights.bin', '/etc/passwd', 'a/../../b', './a', 'a//b', '', 'a/', 'a\0b'])(
  'a statement that names the file %j is refused, although it is signed',
  (name) => {
    const bundle = signManifest(
      { name: 'm', resources: [{ name, digest: 'a'.repeat(64) }], ignored: [] },
      { privateKey },
    )
    expect(() => openSignature(bundle, trust)).toThrow('outside of the model')
  },
)

test('a statement that names a file twice is refused', () => {
  const resource = { name: 'a', digest: 'a'.repeat(64) }
  const bundle = signManifest({ name: 'm', resources: [resource, resource], ignored: [] }, { privateKey })
  expect(() => openSignature(bundle, trust)).toThrow('twice')
})

test('the image carries what the program loads, and nothing else of these tools', () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../../Dockerfile'), 'utf8')
  const copied = [...dockerfile.matchAll(/security\/src\/model\/([\w-]+\.ts)/g)].map(([, name]) => name)
  const loaded = new Set(['init-container.ts'])
  for (const file of loaded)
    for (const [, name = ''] of readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(
      /from '\.\/([\w-]+\.ts)'/g,
    ))
      loaded.add(name)
  expect(copied.sort()).toEqual([...loaded].sort())
})
