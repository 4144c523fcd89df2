import type { Writable } from 'node:stream'
import type { AuditLog, FeedbackLog, ResponseLog } from '../core/audit.ts'
import { chained, START, type Entry, type Link } from './chain.ts'
import { groupCommit, type Store } from './commit.ts'
import { noteEntry } from './entries.ts'
import { auditLogOver, type AuditParts } from './file.ts'
import { newPrivateKey, signerFrom, type Signer } from './keys.ts'

export interface StdoutAuditOptions {
  /** Usually `process.stdout`. */
  readonly stream: Writable
  /** Ed25519 private key, PKCS#8 PEM. Undefined: one for this process, whose public key is in the first line only. */
  readonly signingKey: string | undefined
  readonly checkpointLines: number
  readonly checkpointMs: number
  readonly maxQueue: number
  /** A reader that does not read for longer makes the log unwritable, in milliseconds. */
  readonly stallMs: number
}

interface StreamStore extends StdoutAuditOptions {
  readonly signer: Signer
  readonly now: () => number
  link: Link
  checkedLines: number
  checkedAt: number
}

/**
 * The same lines on a stream; each process starts a chain of its own. `Durable` means handed to the stream's reader:
 * what that does with them is its promise, not ours.
 */
export const stdoutAudit = (
  options: StdoutAuditOptions,
  parts: AuditParts,
): AuditLog & ResponseLog & FeedbackLog => {
  const now = parts.now ?? Date.now
  const signer = signerFrom(options.signingKey ?? newPrivateKey())
  const stream: StreamStore = { ...options, signer, now, link: START, checkedLines: 0, checkedAt: now() }
  // Without a listener a reader that goes away would end the process.
  options.stream.on('error', () => undefined)
  const store: Store = {
    commit: (entries) => append(stream, withCheckpoint(stream, withOpen(stream, entries))),
    repair: (missing) => append(stream, withOpen(stream, [noteEntry('recovered', { unwritten: missing })])),
    tend: async () => {
      if (stream.checkedLines > 0 && now() - stream.checkedAt >= stream.checkpointMs)
        await append(stream, [noteEntry('checkpoint', {})])
    },
    close: async (seal) => {
      if (seal && stream.link.seq > 0) await append(stream, [noteEntry('close', {})])
    },
  }
  return auditLogOver(groupCommit(store, { ...options, meter: parts.meter, log: parts.log }))
}

const withOpen = ({ link, signer }: StreamStore, entries: readonly Entry[]): readonly Entry[] =>
  link.seq > 0
    ? entries
    : [noteEntry('open', { origin: 'first', previous_seq: 0, public_key: signer.publicPem }), ...entries]

const withCheckpoint = (stream: StreamStore, entries: readonly Entry[]): readonly Entry[] =>
  stream.checkedLines + entries.length < stream.checkpointLines
    ? entries
    : [...entries, noteEntry('checkpoint', {})]

const append = async (stream: StreamStore, entries: readonly Entry[]): Promise<void> => {
  const { text, link } = chained(stream.link, entries, {
    written: new Date(stream.now()).toISOString(),
    signer: stream.signer,
  })
  await new Promise<void>((resolve, reject) => {
    stream.stream.write(text, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
  stream.link = link
  stream.checkedLines += entries.length
  if (entries.at(-1)?.type === 'checkpoint') {
    stream.checkedLines = 0
    stream.checkedAt = stream.now()
  }
}
