import { createReadStream, existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { auditorPrivateKey } from '../audit/capture-key.ts'
import { captured } from '../audit/decrypt.ts'
import { exportEvidence, type EvidenceOptions, type Manifest } from '../audit/evidence.ts'
import { verifyEvidence } from '../audit/evidence-verify.ts'
import { explain } from '../audit/explain.ts'
import { CliError, EXIT, unreadable, type Command, type Io } from './command.ts'
import { readKeyFile, readPublicKey } from './key-file.ts'

export const evidenceCommand: Command = {
  help: `usage: postern evidence export --log LOG --from TIME --to TIME -o FILE.tar [options]
       postern evidence verify FILE.tar [--signer-key FILE] [--key FILE] [--json]
       postern evidence decrypt CAPTURES ... --auditor-key FILE [--id ID] [--log LOG]

export  puts what the log says of a range of time into one archive: the lines with their chain and the guard's signatures,
        public keys, and a signed manifest with digests and gaps. VERIFY.txt in it says how to check it with openssl and
        sha256sum alone, what that proves, and what it does not.
verify  does the same check.
decrypt prints captured texts, one JSON object a line. With --log and --id it checks that the record names each of them.

  --from, --to TIME     2026-11-01, or 2026-11-01T12:00:00Z; what was written from --from on and before --to
  --tenant NAME         only lines about this tenant; of the others only hashes
  --captures FILE       take encrypted captures of that time along; may be repeated
  --signing-key FILE    Ed25519 private key (PEM) that signs the bundle; without it LOG.key
  --signer-key FILE     the signer's public key, which you got another way
  --key FILE            the guard's public keys, instead of LOG.pub or those in the bundle
  --auditor-key FILE    the auditor's private key (PEM); its passphrase is read from POSTERN_PASSPHRASE

example
  postern evidence export --log audit.log --from 2026-11-01 --to 2026-12-01 -o november.tar

exit codes
  0  done, and whole     1  the evidence has gaps or was changed     2  wrong usage     3  a file could not be read or written
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
    const [action, ...files] = positionals
    const [file, ...more] = files
    if (action === 'export' && file === undefined) return exportCommand(values, io)
    if (action === 'verify' && file !== undefined && more.length === 0) return verifyCommand(file, values, io)
    if (action === 'decrypt' && file !== undefined) return decryptCommand(files, values, io)
    throw new CliError('write: postern evidence export, verify or decrypt; see postern evidence --help')
  },
}

const OPTIONS = {
  log: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  output: { type: 'string', short: 'o' },
  tenant: { type: 'string' },
  captures: { type: 'string', multiple: true },
  'signing-key': { type: 'string' },
  'signer-key': { type: 'string' },
  'auditor-key': { type: 'string' },
  key: { type: 'string' },
  id: { type: 'string' },
  json: { type: 'boolean' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

const exportCommand = async (values: Values, io: Io): Promise<number> => {
  const { log, output: out } = values
  if (log === undefined || out === undefined || values.from === undefined || values.to === undefined)
    throw new CliError(
      'postern evidence export needs --log, --from, --to and -o; see postern evidence --help',
    )
  if (existsSync(out)) throw new CliError(`${out} is there already; name another file`)
  const [from, to] = [timeOf(values.from), timeOf(values.to)]
  if (from >= to) throw new CliError('--from must be before --to')
  const keyFile = values['signing-key'] ?? `${log}.key`
  if (values['signing-key'] === undefined && !existsSync(keyFile))
    throw new CliError(`say who signs the bundle: --signing-key FILE (there is no ${keyFile})`)
  const options: EvidenceOptions = {
    ...{ log, from, to, out, signingKey: readKeyFile(keyFile) },
    ...(values.key === undefined ? {} : { publicKey: readPublicKey(values.key) }),
    ...(values.tenant === undefined ? {} : { tenant: values.tenant }),
    ...(values.captures === undefined ? {} : { captures: values.captures }),
  }
  const manifest = await orCliError(`cannot make ${out}`, () => exportEvidence(options))
  if (values.json) io.out(`${JSON.stringify(manifest)}\n`)
  else print(manifest, io)
  return manifest.coverage.gaps.length === 0 ? EXIT.ok : EXIT.no
}

const timeOf = (text: string): string => {
  const known = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(text)
  const time = new Date(text)
  if (!known || Number.isNaN(time.getTime()))
    throw new CliError(`${text} is no time; write 2026-11-01 or 2026-11-01T12:00:00Z (UTC)`)
  return time.toISOString()
}

const print = ({ coverage, tenant, signer }: Manifest, io: Io): void => {
  const { first_seq: first, last_seq: last, in_range: range, gaps, signed_to: signedTo, withheld } = coverage
  const whole = gaps.length === 0 ? io.paint('green', 'no gaps') : io.paint('red', `${gaps.length} gaps`)
  io.out(`lines ${first} to ${last}, ${range.exchanges} exchanges in the time asked for, ${whole}\n`)
  if (signedTo < last)
    io.out(`signed by the guard up to line ${signedTo}; the ${last - signedTo} after it are chained only\n`)
  if (tenant !== null) io.out(`only tenant ${tenant}: ${withheld} lines are withheld\n`)
  io.out(`bundle signed by key ${signer}\n`)
}

const verifyCommand = async (bundle: string, values: Values, io: Io): Promise<number> => {
  const options = {
    ...(values.key === undefined ? {} : { publicKey: readPublicKey(values.key) }),
    ...(values['signer-key'] === undefined ? {} : { signerKey: readPublicKey(values['signer-key']) }),
  }
  const report = await orCliError(`cannot verify ${bundle}`, () => verifyEvidence(bundle, options))
  if (values.json) io.out(`${JSON.stringify(report)}\n`)
  else {
    for (const problem of report.problems) io.out(`${io.paint('red', 'wrong')}: ${problem}\n`)
    if (report.manifest !== undefined) print(report.manifest, io)
    if (report.ok && !report.trusted)
      io.out(
        `${io.paint('dim', 'the signer’s key came with the bundle: compare it, or give --signer-key')}\n`,
      )
  }
  return report.ok ? EXIT.ok : EXIT.no
}

const decryptCommand = async (files: readonly string[], values: Values, io: Io): Promise<number> => {
  const { 'auditor-key': keyFile, id, log } = values
  if (keyFile === undefined) throw new CliError('postern evidence decrypt needs --auditor-key FILE')
  if (log !== undefined && id === undefined)
    throw new CliError('--log needs --id: it looks for the record of one exchange')
  const key = await orCliError(`cannot use ${keyFile}`, () =>
    Promise.resolve(auditorPrivateKey(readKeyFile(keyFile), io.env['POSTERN_PASSPHRASE'])),
  )
  const named = log === undefined || id === undefined ? undefined : await namedLines(log, id)
  let bad = 0
  for (const file of files) {
    await orCliError(`cannot read ${file}`, () => readable(file))
    for await (const one of captured(file, { key, id })) {
      if ('why' in one) {
        bad += 1
        io.err(`postern: ${one.file}:${one.number}: ${WHY[one.why]}\n`)
      } else if (named !== undefined && !named.has(one.line)) {
        bad += 1
        io.err(`postern: ${file}: a text of ${one.id} that its record does not name: it is not the guard’s\n`)
      } else io.out(`${JSON.stringify(one)}\n`)
    }
  }
  return bad === 0 ? EXIT.ok : EXIT.no
}

const WHY = {
  torn: 'cut short by a crash',
  not_a_capture: 'not a captured text, or cut short by a crash',
  other_key: 'encrypted to another key, or changed',
  forged: 'does not hold what its line says: it was changed or put in',
} as const

const namedLines = async (log: string, id: string): Promise<ReadonlySet<string>> => {
  const found = await orCliError(`cannot read ${log}`, () => explain({ member: 'id', value: id }, [log]))
  const whole = found.filter(({ proof }) => proof.state !== 'broken')
  return new Set(whole.flatMap(({ record }) => (record?.texts ?? []).flatMap(({ capture }) => capture ?? [])))
}

const readable = (file: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const stream = createReadStream(file, { end: 0 })
    stream.once('error', reject)
    stream.once('close', resolve)
    stream.resume()
  })

const orCliError = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`${what}: ${unreadable(error)}`, EXIT.failed)
  }
}
