import { createHash, createPublicKey, verify } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import { hashOf, headerOf, signatureOf, SIGNED } from './chain.ts'
import type { Coverage, Gap } from './evidence-range.ts'
import type { Manifest } from './evidence.ts'
import { keyIdOf, publicPems, verifierFrom, type Verifier } from './keys.ts'
import { linesOf } from './lines.ts'
import { tarEntries, type TarEntry } from './tar.ts'

export interface EvidenceReport {
  readonly ok: boolean
  /** Everything that is wrong, in words. */
  readonly problems: readonly string[]
  /** Undefined when it is not there or not signed by whom it should be. */
  readonly manifest: Manifest | undefined
  /** True when the signer's key was given, not taken from the bundle. */
  readonly trusted: boolean
}

export interface EvidenceVerifyOptions {
  /** The signer's Ed25519 public key, PEM. Without it the one in the bundle is taken, which whoever made the bundle chose. */
  readonly signerKey?: string
  /** The guard's public keys, PEM, instead of those in the bundle. */
  readonly publicKey?: string
}

const MOST_SMALL = 64 << 20 // bytes of a file of the bundle that is read as a whole

/** Checks a bundle as VERIFY.txt says, line by line, in bounded memory. Throws an Error when it is no archive. */
export const verifyEvidence = async (
  bundle: string,
  options: EvidenceVerifyOptions = {},
): Promise<EvidenceReport> => {
  const entries = await tarEntries(bundle)
  const files: Files = {
    has: (name) => entries.has(name),
    names: [...entries.keys()],
    small: (name) => smallFile(bundle, entries.get(name)),
    digest: (name) => digestOf(bundle, entries.get(name)),
    lines: (name) => {
      const { start = 0, size = 0 } = entries.get(name) ?? {}
      return linesOf(bundle, { start, end: start + size })
    },
  }
  const trusted = options.signerKey !== undefined
  const manifest = await signedManifest(files, options)
  if (typeof manifest === 'string') return { ok: false, problems: [manifest], manifest: undefined, trusted }
  const problems = [...(await wrongFiles(files, manifest))]
  if (problems.length === 0) problems.push(...(await wrongLines(files, manifest, options)))
  return { ok: problems.length === 0, problems, manifest, trusted }
}

interface Files {
  has(name: string): boolean
  readonly names: readonly string[]
  /** Throws an Error when it is not there, or large. */
  small(name: string): Promise<Buffer>
  digest(name: string): Promise<string>
  lines(name: string): ReturnType<typeof linesOf>
}

const smallFile = async (bundle: string, entry: TarEntry | undefined): Promise<Buffer> => {
  if (entry === undefined || entry.size > MOST_SMALL) throw new Error('a file of the bundle is missing')
  const file = await open(bundle, 'r')
  try {
    const bytes = Buffer.alloc(entry.size)
    await file.read(bytes, 0, entry.size, entry.start)
    return bytes
  } finally {
    await file.close()
  }
}

const digestOf = async (bundle: string, entry: TarEntry | undefined): Promise<string> => {
  const digest = createHash('sha256')
  if (entry !== undefined && entry.size > 0) {
    const { start, size } = entry
    for await (const piece of createReadStream(bundle, { start, end: start + size - 1 }))
      digest.update(piece as Buffer)
  }
  return digest.digest('hex')
}

const REQUIRED = [
  'manifest.json',
  'manifest.json.sig',
  'SHA256SUMS',
  'SHA256SUMS.sig',
  'signer.pub',
  'audit.jsonl',
]

const count = z.int().min(0)
/** What the check relies on; the rest is told as it stands, under the same signature. */
const manifestSchema = z.looseObject({
  format: z.literal('postern evidence 1'),
  range: z.object({ from: z.string(), to: z.string() }),
  tenant: z.string().nullable(),
  coverage: z.looseObject({
    ...{ first_seq: count, last_seq: count, lines: count, withheld: count, signed_to: count },
    last_hash: z.string(),
    gaps: z.array(z.object({ after: count, before: count, why: z.string() })),
  }),
  signer: z.string(),
  files: z.record(z.string(), z.string()),
})

/** The manifest, or why it cannot be trusted. */
const signedManifest = async (
  files: Files,
  { signerKey }: EvidenceVerifyOptions,
): Promise<Manifest | string> => {
  const missing = REQUIRED.filter((name) => !files.has(name))
  if (missing.length > 0) return `the bundle has no ${missing.join(', ')}`
  const [pem] = publicPems(signerKey ?? (await files.small('signer.pub')).toString('utf8'))
  if (pem === undefined) return 'the key of the signer is no public key in PEM'
  const key = createPublicKey(pem)
  for (const name of ['manifest.json', 'SHA256SUMS']) {
    const good =
      key.asymmetricKeyType === 'ed25519' &&
      verify(null, await files.small(name), key, await files.small(`${name}.sig`))
    if (!good) return `the signature of ${name} is wrong, or another key made it`
  }
  const read = manifestSchema.safeParse(JSON.parse((await files.small('manifest.json')).toString('utf8')))
  if (!read.success) return 'the manifest is not one that this version knows'
  return read.data.signer === keyIdOf(key)
    ? (read.data as unknown as Manifest)
    : 'the manifest names another signer'
}

const wrongFiles = async (files: Files, manifest: Manifest): Promise<readonly string[]> => {
  const sums = (await files.small('SHA256SUMS')).toString('utf8').trimEnd().split('\n')
  const summed = new Map(sums.map((row) => [row.slice(66), row.slice(0, 64)] as const))
  const problems: string[] = []
  for (const name of files.names) {
    if (name === 'SHA256SUMS' || name.endsWith('.sig')) continue
    const digest = await files.digest(name)
    const known = name === 'manifest.json' ? digest : manifest.files[name]
    if (known !== digest || summed.get(name) !== digest)
      problems.push(`${name} is not what the manifest says: it was changed or put in`)
  }
  for (const name of Object.keys(manifest.files)) {
    if (!files.has(name)) problems.push(`${name} is missing`)
  }
  return problems
}

const wrongLines = async (
  files: Files,
  { coverage, tenant }: Manifest,
  { publicKey }: EvidenceVerifyOptions,
): Promise<readonly string[]> => {
  const pems = publicKey ?? (await keysIn(files))
  if (publicPems(pems).length === 0) return ['the bundle has no public key of the guard']
  const state: State = { problems: [], verifier: verifierFrom(pems), seq: 0, hash: '', lines: 0, signedTo: 0 }
  if (tenant === null)
    for await (const batch of files.lines('audit.jsonl')) for (const { bytes } of batch) take(state, bytes)
  else await takeSome(state, files)
  const { problems } = state
  for (const gap of coverage.gaps) problems.push(gapText(gap))
  const told = [coverage.lines, coverage.last_seq, coverage.last_hash, coverage.signed_to]
  const seen = [state.lines, state.seq, state.hash, state.signedTo]
  if (problems.length === 0 && told.join(' ') !== seen.join(' '))
    problems.push('the lines are not those that the manifest counts, or the guard’s key is another one')
  return problems.slice(0, MOST_PROBLEMS)
}

const MOST_PROBLEMS = 100

const gapText = ({ after, before, why }: Gap): string =>
  `the log itself does not hold between line ${after} and ${before} (${why}), as the manifest says too`

const keysIn = async (files: Files): Promise<string> => {
  const names = files.names.filter((name) => /^keys\/[0-9a-f]{16}\.pub$/.test(name))
  return (await Promise.all(names.map((name) => files.small(name)))).join('\n')
}

interface State {
  readonly problems: string[]
  readonly verifier: Verifier
  seq: number
  hash: string
  lines: number
  signedTo: Coverage['signed_to']
}

const take = (state: State, bytes: Buffer): void => {
  const header = headerOf(bytes)
  const wrong = (why: string): void => {
    if (state.problems.length < MOST_PROBLEMS)
      state.problems.push(`line ${header?.seq ?? state.seq + 1}: ${why}`)
  }
  state.lines += 1
  if (header === undefined) {
    wrong('no guard wrote it')
    return
  }
  if (state.hash !== '' && (header.seq !== state.seq + 1 || header.prev !== state.hash))
    wrong(`it does not continue line ${state.seq}`)
  if (SIGNED.has(header.type)) {
    const signature = signatureOf(bytes, header.type, state.verifier)
    if (signature === 'bad') wrong('its signature is wrong')
    if (signature === 'good') state.signedTo = header.seq
  }
  state.seq = header.seq
  state.hash = hashOf(bytes)
}

/** Walks the hashes of all lines, and beside them the lines that were kept. */
const takeSome = async (state: State, files: Files): Promise<void> => {
  const lines = each(files.lines('audit.jsonl'))
  for await (const row of each(files.lines('hashes.txt'))) {
    const match = /^(\d{1,16}) ([0-9a-f]{64}) (kept|withheld)$/.exec(row.toString('latin1', 0, 128))
    const [, seq = '0', hash = '', what] = match ?? []
    const line = what === 'kept' ? await lines.next() : undefined
    if (state.hash !== '' && Number(seq) !== state.seq + 1)
      state.problems.push(`line ${state.seq + 1} is missing`)
    if (line !== undefined && line.done !== true) take(state, line.value)
    else state.lines += 1
    if (match === null || (line !== undefined && (line.done === true || hashOf(line.value) !== hash)))
      state.problems.push(`line ${seq} is not the one that hashes.txt names`)
    state.seq = Number(seq)
    state.hash = hash
    if (state.problems.length >= MOST_PROBLEMS) return
  }
  if ((await lines.next()).done !== true) state.problems.push('there are lines that hashes.txt does not name')
}

async function* each(batches: ReturnType<typeof linesOf>): AsyncGenerator<Buffer, undefined> {
  for await (const batch of batches) for (const { bytes } of batch) yield bytes
  return undefined
}
