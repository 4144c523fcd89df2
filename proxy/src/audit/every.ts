import type { AuditLog, FeedbackLog, ResponseLog } from '../core/audit.ts'

type FullLog = AuditLog & ResponseLog & FeedbackLog

/** Several logs as one: a record counts as durable when every log has it, and one that fails makes all unready. */
export const everyAudit = (logs: readonly FullLog[]): FullLog => ({
  begin: async (entry) => {
    await all(logs.map((log) => log.begin(entry)))
  },
  end: async (record) => {
    await all(logs.map((log) => log.end(record)))
  },
  respond: async (entry) => {
    await all(logs.map((log) => log.respond(entry)))
  },
  judge: async (entry) => {
    await all(logs.map((log) => log.judge(entry)))
  },
  unready: () => logs.map((log) => log.unready()).find((reason) => reason !== undefined),
  close: async () => {
    await all(logs.map((log) => log.close()))
  },
})

/** Waits for all, also when one fails, and throws the first failure. */
const all = async (works: readonly Promise<void>[]): Promise<void> => {
  const failed = (await Promise.allSettled(works)).find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
