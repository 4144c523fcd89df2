import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Header } from './chain.ts'
import { emptyCoverage, rangeOf, type Coverage, type RangeLine } from './evidence-range.ts'
import { howToVerify } from './evidence-text.ts'
import { keyIdOf, publicPems, signerFrom, verifierFrom } from './keys.ts'
import { linesOf } from './lines.ts'
import { publicKeysOf, seriesOf } from './series.ts'
import { tarWriter, type TarWriter } from './tar.ts'

export interface EvidenceOptions {
  readonly log: string
  /** RFC 3339, UTC, milliseconds: what was written from `from` on and before `to`. */
  readonly from: string
  readonly to: string
  /** The archive to make; there must be none yet. */
  readonly out: string
  /** Ed25519 private key, PKCS#8 PEM: who vouches for the bundle. */
  readonly signingKey: string
  /** Ed25519 public keys of the guard, PEM, instead of those beside the log. */
  readonly publicKey?: string
  /** Only the lines about this tenant, and those about the log itself. */
  readonly tenant?: string
  /** Capture files whose lines of that time, and tenant, go with it, encrypted as they are. */
  readonly captures?: readonly string[]
  readonly now?: () => Date
}

export interface Manifest {
  readonly format: 'postern evidence 1'
  readonly created: string
  readonly log: string
  readonly range: { readonly from: string; readonly to: string }
  readonly tenant: string | null
  readonly coverage: Coverage
  /** Key ids: the guard's keys that the bundle brings, and the one that signed the bundle. */
  readonly keys: readonly string[]
  readonly signer: string
  /** SHA-256 by name, hex. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Writes a signed bundle of what a log says of a range of time. A log with gaps is bundled too: they stand in the manifest. Throws an Error when it cannot
 * read or write, when the log has no public key, and when nothing was written in that time.
 */
export const exportEvidence = async (options: EvidenceOptions): Promise<Manifest> => {
  const { files, base } = await seriesOf(options.log)
  const pems = options.publicKey ?? (await publicKeysOf(base))
  if (pems === undefined) throw new Error(`there is no public key beside the log (${base}.pub): give it`)
  const created = (options.now ?? (() => new Date()))()
  const part = `${options.out}.part`
  await rm(part, { force: true })
  const tar = await tarWriter(part, created)
  try {
    const coverage = emptyCoverage()
    const lines = rangeOf(files, { ...options, verifier: verifierFrom(pems) }, coverage)
    const digests = await addLines(tar, { lines, coverage, options })
    if (coverage.in_range.lines === 0) throw new Error('nothing was written in that time')
    const manifest = await finish(tar, { options, coverage, digests, pems, created, log: basename(base) })
    await rename(part, options.out)
    return manifest
  } catch (error) {
    await tar.end().catch(() => undefined)
    await rm(part, { force: true })
    throw error
  }
}

type Digests = Record<string, string>

interface Lines {
  readonly lines: AsyncGenerator<RangeLine>
  readonly coverage: Coverage
  readonly options: EvidenceOptions
}

const NEWLINE = Buffer.from('\n')

const addLines = async (tar: TarWriter, { lines, coverage, options }: Lines): Promise<Digests> => {
  const digests: Digests = {}
  const { tenant, out } = options
  if (tenant === undefined) digests['audit.jsonl'] = await tar.add('audit.jsonl', inPieces(whole(lines)))
  else {
    const side = `${out}.hashes`
    const hashes = createWriteStream(side, { mode: 0o600 })
    try {
      digests['audit.jsonl'] = await tar.add(
        'audit.jsonl',
        inPieces(kept({ lines, coverage, tenant, hashes })),
      )
      hashes.end()
      await finished(hashes)
      digests['hashes.txt'] = await tar.add('hashes.txt', bytesOf(side))
    } finally {
      hashes.destroy()
      await rm(side, { force: true })
    }
  }
  if (options.captures !== undefined)
    digests['captures.jsonl'] = await tar.add(
      'captures.jsonl',
      inPieces(capturesIn(options.captures, options)),
    )
  return digests
}

const bytesOf = (file: string): AsyncIterable<Buffer> => createReadStream(file) as AsyncIterable<Buffer>

async function* whole(lines: AsyncGenerator<RangeLine>): AsyncGenerator<Buffer> {
  for await (const { bytes } of lines) yield bytes
}

interface Kept {
  readonly lines: AsyncGenerator<RangeLine>
  readonly coverage: Coverage
  readonly tenant: string
  readonly hashes: NodeJS.WritableStream
}

/** Lines of one tenant; every line's hash goes into `hashes`. */
async function* kept({ lines, coverage, tenant, hashes }: Kept): AsyncGenerator<Buffer> {
  for await (const { bytes, header, hash } of lines) {
    const isKept = header !== undefined && isAbout(bytes, header, tenant)
    if (!isKept) coverage.withheld += 1
    const row = `${header?.seq ?? 0} ${hash} ${isKept ? 'kept' : 'withheld'}\n`
    if (!hashes.write(row)) await once(hashes, 'drain')
    if (isKept) yield bytes
  }
}

/** Lines about the log itself, and about exchanges by their random id alone, say nothing of other tenants. */
const isAbout = (bytes: Buffer, { type }: Header, tenant: string): boolean => {
  if (type !== 'begin' && type !== 'exchange') return true
  const { caller } = JSON.parse(bytes.toString('utf8')) as {
    readonly caller?: { readonly tenant?: unknown } | null
  }
  return caller?.tenant === tenant
}

const PIECE = 1 << 20

/** Lines, each with its newline, joined to larger pieces: a write for each would take most of the time. */
async function* inPieces(lines: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let size = 0
  for await (const bytes of lines) {
    waiting.push(bytes, NEWLINE)
    size += bytes.length + 1
    if (size < PIECE) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting)
}

const IN_CLEAR =
  /^\{"v":1,"id":"[^"\\]{1,128}","tenant":"((?:[^"\\]|\\.){0,600})","written":"([-\d:.TZ]{24})",/

async function* capturesIn(
  files: readonly string[],
  { from, to, tenant }: EvidenceOptions,
): AsyncGenerator<Buffer> {
  for (const file of files) {
    for await (const batch of linesOf(file, { longest: 512 << 20 })) {
      for (const { bytes, whole: isWhole } of batch) {
        const [, of, written = ''] = IN_CLEAR.exec(bytes.toString('utf8', 0, 1024)) ?? []
        if (!isWhole || of === undefined || written < from || written >= to) continue
        if (tenant === undefined || JSON.parse(`"${of}"`) === tenant) yield bytes
      }
    }
  }
}

interface Finish {
  readonly options: EvidenceOptions
  readonly coverage: Coverage
  readonly digests: Digests
  readonly pems: string
  readonly created: Date
  readonly log: string
}

const finish = async (
  tar: TarWriter,
  { options, coverage, digests, pems, created, log }: Finish,
): Promise<Manifest> => {
  const { from, to, tenant, signingKey } = options
  const signer = signerFrom(signingKey)
  const key = createPrivateKey(signingKey)
  const add = async (name: string, bytes: Buffer | string): Promise<void> => {
    digests[name] = await tar.add(name, [Buffer.from(bytes)])
  }
  const keys = publicPems(pems).map((pem) => ({ pem, id: keyIdOf(createPublicKey(pem)) }))
  for (const { pem, id } of keys) await add(`keys/${id}.pub`, `${pem}\n`)
  await add('signer.pub', signer.publicPem)
  await add('VERIFY.txt', howToVerify(tenant !== undefined))
  const manifest: Manifest = {
    ...{ format: 'postern evidence 1', created: created.toISOString(), log, range: { from, to } },
    ...{ tenant: tenant ?? null, coverage, keys: keys.map(({ id }) => id), signer: signer.keyId },
    files: { ...digests },
  }
  const signed = async (name: string, text: string): Promise<void> => {
    await add(name, text)
    await tar.add(`${name}.sig`, [sign(null, Buffer.from(text), key)])
  }
  await signed('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`)
  const sums = Object.entries(digests).map(([name, digest]) => `${digest}  ${name}\n`)
  await signed('SHA256SUMS', sums.join(''))
  await tar.end()
  return manifest
}
