import { createPrivateKey, type X509Certificate } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Command } from '../command.ts'
import { bomOf } from './bom.ts'
import { certificatesIn } from './certificate.ts'
import { promote, rollback } from './lifecycle.ts'
import { GIT_FILES, manifestOf, modelDigest } from './manifest.ts'
import { isName, type Model, type Registry } from './registry.ts'
import { fileRegistry, writeRegistryFile } from './registry-file.ts'
import { mlflowRegistry } from './registry-mlflow.ts'
import { signManifest, type SigningKey } from './signature.ts'
import { trustFileIn, TRUST_OPTIONS, type TrustFile } from './trust.ts'
import { inside, verifyModel } from './verify.ts'

const HELP = `postern-sec model: sign, register, promote and roll back models

  sign FOLDER --key FILE [--signature FILE]           sign every file (OpenSSF Model Signing 1.0); model.sig beside the files,
                                                      or FILE.sig for a model that is one file
              --signing-certificate FILE              with the certificate of the key
              [--certificate-chain FILE]              and those between it and a root
  verify FOLDER WHOSE [--signature FILE]              are these the files that were signed, no more and no less?
                      [--digest SHA256]               and of this version
  register NAME FOLDER --version V --registry R       add a version; with WHOSE its signature is verified and recorded
  promote NAME VERSION --registry R [--alias A]       let an alias (champion) name the version
  rollback NAME --registry R [--alias A]              let the alias name what it named before
  list --registry R                                   models, versions, aliases and the last changes
  sync --registry URL --to FILE                       copy an MLflow registry into the file that guards follow
  bom --registry R [--out FILE]                       bill of materials, CycloneDX 1.7

  WHOSE is one of
  --public-key FILE                                   signed with this key (PEM; ECDSA on P-256, P-384 or P-521)
  --certificate-chain FILE                            with a certificate from these roots (PEM), valid now and for signing code
  --trusted-root FILE --identity NAME --identity-provider URL
                                                      keyless, by this identity: trusted_root.json of a Sigstore instance, the
                                                      name in its certificate and who vouched for it, to the letter

  R is a JSON file, which guards can follow (modelRegistry.file), or the address of an MLflow server.
  --source ADDRESS   where the files can be had, with register; the folder when absent, but MLflow takes addresses only
  --serves-as NAME   what the model server calls the version, with register; the model's name when absent
  --token-env NAME   environment variable with a bearer token for MLflow
  --unsigned         also versions without a signature, with promote
  --by WHO           for the history; your user name when absent

Exit code: 0 done, 1 refused or not verified, 2 wrong use.
`

const OPTIONS = {
  ...TRUST_OPTIONS,
  key: { type: 'string' },
  'signing-certificate': { type: 'string' },
  signature: { type: 'string' },
  digest: { type: 'string' },
  version: { type: 'string' },
  registry: { type: 'string' },
  alias: { type: 'string', default: 'champion' },
  'serves-as': { type: 'string', default: '' },
  source: { type: 'string' },
  to: { type: 'string' },
  out: { type: 'string' },
  by: { type: 'string' },
  'token-env': { type: 'string' },
  unsigned: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Values = ReturnType<typeof parse>['values']

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true })

interface Asked {
  readonly values: Values
  /** What stands behind the action. */
  readonly names: readonly string[]
}

/** Wrong use: exit code 2. */
class Misuse extends Error {}

export const command: Command = {
  summary: 'sign, verify, register, promote and roll back models; bill of materials',
  run: async (args, io) => {
    try {
      const { values, positionals } = parsed(args)
      const [action = '', ...names] = positionals
      if (values.help || action === '') {
        io.out(HELP)
        return values.help ? 0 : 2
      }
      const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
      if (act === undefined) throw new Misuse(`there is no action ${action}`)
      io.out(await act({ values, names }))
      return 0
    } catch (error) {
      io.err(`postern-sec model: ${(error as Error).message}\n`)
      if (error instanceof Misuse) io.err('postern-sec model --help says how\n')
      return error instanceof Misuse ? 2 : 1
    }
  },
}

const parsed = (args: readonly string[]): ReturnType<typeof parse> => {
  try {
    return parse(args)
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

const ACTIONS: Readonly<Record<string, (asked: Asked) => Promise<string>>> = {
  sign: async ({ values, names: [folder = needed('FOLDER')] }) => {
    const file = values.signature ?? (await signatureOf(folder))
    const ignored = [...GIT_FILES, inside(folder, file)]
    const manifest = await manifestOf(folder, { name: basename(resolve(folder)), ignored })
    await writeFile(file, signManifest(manifest, await signingKey(values)))
    return `${file}: signs ${counted(manifest.resources.length)}, SHA-256 ${modelDigest(manifest.resources)}\n`
  },
  verify: async ({ values, names: [folder = needed('FOLDER')] }) => {
    const { name, files, digest, signer } = await verified(folder, values)
    return `${folder}: ${counted(files)} as signed (${name}, SHA-256 ${digest}, signed by ${whom(signer)})\n`
  },
  register: async ({ values, names: [name = needed('NAME'), folder = needed('FOLDER')] }) => {
    const version = plain(values.version ?? needed('--version'), '--version')
    const signed = isTrusting(values) ? await verified(folder, values) : undefined
    const made = await registryOf(values).add(plain(name, 'NAME'), {
      version,
      source:
        values.source ?? (isServer(values) ? needed('--source, such as s3://bucket/model') : resolve(folder)),
      servesAs: values['serves-as'] === '' ? '' : plain(values['serves-as'], '--serves-as'),
      digest: signed?.digest ?? '',
      signer: signed?.signer ?? '',
    })
    return `${name} ${made} registered${signed === undefined ? ', not signed' : `, signed by ${whom(signed.signer)}`}\n`
  },
  promote: async ({ values, names: [name = needed('NAME'), version = needed('VERSION')] }) => {
    const alias = plain(values.alias, '--alias')
    const step = {
      name: plain(name, 'NAME'),
      version: plain(version, 'VERSION'),
      alias,
      unsigned: values.unsigned,
    }
    const { previous } = await promote(registryOf(values), { ...step, ...now(values) })
    return `${alias} of ${name} is ${version}${previous === '' ? '' : `, was ${previous}`}\n`
  },
  rollback: async ({ values, names: [name = needed('NAME')] }) => {
    const alias = plain(values.alias, '--alias')
    const change = await rollback(registryOf(values), { name: plain(name, 'NAME'), alias, ...now(values) })
    return `${alias} of ${name} is ${change.version} again, was ${change.previous}\n`
  },
  list: async ({ values }) => (await registryOf(values).models()).map(shown).join('') || 'no models\n',
  sync: async ({ values }) => {
    const models = await registryOf(values).models()
    const file = values.to ?? needed('--to')
    await writeRegistryFile(file, models)
    return `${file}: ${models.length} models\n`
  },
  bom: async ({ values }) => {
    const bom = `${JSON.stringify(bomOf(await registryOf(values).models(), new Date()), null, 2)}\n`
    if (values.out === undefined) return bom
    await writeFile(values.out, bom)
    return `${values.out}: written\n`
  },
}

/** In the folder, or beside the one file. */
const signatureOf = async (model: string): Promise<string> =>
  (await stat(model).catch(() => undefined))?.isFile() === true ? `${model}.sig` : resolve(model, 'model.sig')

const verified = async (folder: string, values: Values) =>
  verifyModel({
    folder,
    signatureFile: values.signature ?? (await signatureOf(folder)),
    trust: trustIn(values),
    ...(values.digest !== undefined && { digest: values.digest }),
  })

const trustIn = (values: Values): TrustFile => {
  try {
    return trustFileIn(values)
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

const isTrusting = (values: Values): boolean =>
  (Object.keys(TRUST_OPTIONS) as (keyof typeof TRUST_OPTIONS)[]).some(
    (option) => values[option] !== undefined,
  )

const signingKey = async (values: Values): Promise<SigningKey> => {
  const privateKey = createPrivateKey(await readFile(values.key ?? needed('--key')))
  const { 'signing-certificate': own, 'certificate-chain': chain } = values
  if (own === undefined) {
    if (chain !== undefined) throw new Misuse('--certificate-chain needs --signing-certificate')
    return { privateKey }
  }
  const [leaf] = await certificatesAt(own)
  const between = chain === undefined ? [] : await certificatesAt(chain)
  return { privateKey, certificates: leaf === undefined ? [] : [leaf, ...between] }
}

const certificatesAt = async (file: string): Promise<readonly X509Certificate[]> => {
  const text = await readFile(file, 'utf8')
  try {
    return certificatesIn(text)
  } catch (cause) {
    throw new Error(`${file}: has no certificates as PEM`, { cause })
  }
}

const counted = (files: number): string => (files === 1 ? '1 file' : `${files} files`)

/** A key has no name of its own. */
const whom = (signer: string): string => (/^[0-9a-f]{64}$/.test(signer) ? `key ${signer}` : signer)

/** MLflow takes no paths of other machines. */
const isServer = ({ registry = '' }: Values): boolean => /^https?:\/\//.test(registry)

const registryOf = (values: Values): Registry => {
  const at = values.registry ?? needed('--registry')
  if (!isServer(values)) return fileRegistry(at)
  const variable = values['token-env']
  const token = variable === undefined ? undefined : process.env[variable]
  if (variable !== undefined && token === undefined) throw new Misuse(`--token-env: ${variable} is not set`)
  return mlflowRegistry({ url: at, token })
}

const now = (values: Values) => ({ at: new Date(), by: values.by ?? userInfo().username })

const shown = ({ name, versions, aliases, history }: Model): string =>
  [
    name,
    ...versions.map(({ version, signer, digest }) => {
      const names = Object.keys(aliases).filter((alias) => aliases[alias] === version)
      const signed = signer === '' ? 'not signed' : `SHA-256 ${digest.slice(0, 16)}`
      const by = signer === '' ? '' : `by ${whom(signer)}`
      return `  ${version.padEnd(12)} ${signed.padEnd(26)} ${names.join(', ').padEnd(16)} ${by}`.trimEnd()
    }),
    ...history.slice(-3).map(({ at, alias, version, by }) => `  ${at} ${alias} -> ${version} by ${by}`),
    '',
  ].join('\n')

const plain = (name: string, what: string): string => {
  if (isName(name)) return name
  throw new Misuse(`${what}: must be 1 to 128 letters, digits or . _ : / -`)
}

const needed = (what: string): never => {
  throw new Misuse(`${what} is missing`)
}
