import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { AuditLog, AuditRecord, FeedbackLog, ResponseLog } from '../core/audit.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Entry } from './chain.ts'
import { groupCommit, type GroupCommit, type Pending, type Store } from './commit.ts'
import { beginEntry, exchangeEntry, feedbackEntry, noteEntry, responseEntry } from './entries.ts'
import { AuditFault } from './fault.ts'
import { closeStore, commitTo, openStore, repairStore, tendStore, type FileStore } from './store.ts'

export interface FileAuditOptions {
  /** The log. Beside it lie `.head`, `.lock`, `.pub`, rotated files and, unless `signingKey` is given, `.key`. */
  readonly path: string
  /** Ed25519 private key, PKCS#8 PEM. Undefined: `<path>.key`, made with mode 0600 when it is not there. */
  readonly signingKey: string | undefined
  /** The file is rotated when it is larger, in bytes, or older, in milliseconds. */
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** Rotated files kept; older ones are deleted. Infinity keeps all. */
  readonly keepFiles: number
  /** Rotated files whose last line is older are deleted, in milliseconds. Absent: none for its age. */
  readonly keepMs?: number
  /** A signed checkpoint at the latest after so many lines, or milliseconds when there is anything new. */
  readonly checkpointLines: number
  readonly checkpointMs: number
  /** Exchanges that wait for the disk at most; beyond it none begins. */
  readonly maxQueue: number
  /** A write that takes longer counts as failed, in milliseconds. */
  readonly stallMs: number
}

export interface AuditParts {
  readonly meter: Meter
  readonly log: Log
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * The hash-chained log in a file. Throws AuditFault, which says what to do, when the log is in use by another guard, damaged, or
 * the key is not one. When the disk does not let it be opened for another reason it starts unready and keeps trying.
 */
export const fileAudit = async (
  options: FileAuditOptions,
  parts: AuditParts,
): Promise<AuditLog & ResponseLog & FeedbackLog> => {
  let file: FileStore | undefined
  const opened = async (): Promise<FileStore> => {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o700 })
    return (file = await openStore({
      keepMs: Infinity,
      ...options,
      log: parts.log,
      now: parts.now ?? Date.now,
    }))
  }
  const usable = () => file ?? Promise.reject(new AuditFault('The audit log is not open.'))
  const store: Store = {
    commit: async (entries) => commitTo(await usable(), entries),
    tend: async () => tendStore(await usable()),
    repair: async (missing) => {
      if (file === undefined) {
        const fresh = await opened()
        if (missing > 0) await commitTo(fresh, [noteEntry('recovered', { unwritten: missing })])
      } else await repairStore(file, missing)
    },
    close: async (seal) => {
      if (file !== undefined) await closeStore(file, seal)
    },
  }
  const failed = await opened().then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failed instanceof AuditFault) throw failed
  return auditLogOver(groupCommit(store, { ...options, meter: parts.meter, log: parts.log }, failed))
}

export const auditLogOver = (lines: GroupCommit): AuditLog & ResponseLog & FeedbackLog => ({
  begin: (entry) => lines.add(ready(beginEntry(entry))),
  end: (record) =>
    lines.add({
      type: 'exchange',
      id: record.id,
      size: sizeOf(record),
      entry: () => exchangeEntry(record),
    }),
  respond: (entry) => lines.add(ready(responseEntry(entry))),
  judge: (entry) => lines.add(ready(feedbackEntry(entry))),
  unready: () => lines.unready(),
  close: () => lines.close(),
})

const ready = (entry: Entry): Pending => ({
  type: entry.type,
  id: entry.id,
  size: entry.members.length,
  entry: () => entry,
})

/** More than a line of plain texts takes. */
const sizeOf = ({ texts, findings, decisions }: AuditRecord): number =>
  1024 + 256 * (texts.length + findings.length + decisions.length)
