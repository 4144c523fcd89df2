import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { explain, type Explanation } from '../audit/explain.ts'
import { tell } from '../audit/tell.ts'
import { CliError, EXIT, unreadable, type Command, type Io } from './command.ts'
import { readPublicKey } from './key-file.ts'

export const explainCommand: Command = {
  help: `usage: postern explain ID [--log LOG ...] [--key FILE] [--json]

Says what happened in one exchange, and why: who asked which model, what was found where, what was decided by
which row of which policy, what the client saw, and what would have changed it. Checks the chain around the
record. There is no content in it, because the log holds none.

ID is what the client got as x-request-id, or a trace id of 32 hex digits; a trace may have several exchanges.

  --log LOG    an audit log, whose rotated files are searched too, or a folder that holds one; may be repeated.
               Without it: audit.log here, else /var/log/postern/audit.log
  --key FILE   public keys (PEM) to trust instead of LOG.pub
  --json       the record and all that follows from it, one line for each exchange

example
  postern explain 5723905b-21a0-4185-9131-a0bed2f98530 --log /var/log/postern/audit.log

exit codes
  0  explained     1  not found, or the log was tampered with     2  wrong usage     3  the log could not be read
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        log: { type: 'string', multiple: true },
        key: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
    const [id, ...more] = positionals
    if (id === undefined || more.length > 0 || !/^[!#-[\]-~]{1,128}$/.test(id))
      throw new CliError('write: postern explain ID; see postern explain --help')
    const logs = values.log ?? usualLogs()
    const found = await search(id, logs, values.key)
    if (found.length === 0) {
      io.err(`postern: no exchange ${id} in ${logs.join(', ')}\n`)
      return EXIT.no
    }
    for (const one of found) {
      if (values.json) io.out(`${JSON.stringify(one)}\n`)
      else print(one, io)
    }
    const forged = new Set(found.map(({ id }) => id)).size < found.length
    if (forged)
      io.err('postern: the log has more than one record of this id: at least one is not the guard’s\n')
    return forged || found.some(({ proof }) => proof.state === 'broken') ? EXIT.no : EXIT.ok
  },
}

const USUAL = ['audit.log', '/var/log/postern/audit.log']

const usualLogs = (): readonly string[] => {
  const log = USUAL.find((path) => existsSync(path))
  if (log === undefined) throw new CliError('say where the log is: postern explain ID --log LOG')
  return [log]
}

const search = async (
  id: string,
  logs: readonly string[],
  key: string | undefined,
): Promise<readonly Explanation[]> => {
  const options = key === undefined ? {} : { publicKey: readPublicKey(key) }
  try {
    const byId = await explain({ member: 'id', value: id }, logs, options)
    if (byId.length > 0 || !/^[0-9a-f]{32}$/.test(id)) return byId
    return await explain({ member: 'trace', value: id }, logs, options)
  } catch (error) {
    throw new CliError(`cannot explain ${id}: ${unreadable(error)}`, EXIT.failed)
  }
}

const print = (explanation: Explanation, io: Io): void => {
  io.out(`${io.paint('bold', `Exchange ${explanation.id}`)}: ${outcome(explanation, io)}\n`)
  for (const { title, lines } of tell(explanation)) {
    io.out(`\n${io.paint('cyan', title)}\n`)
    for (const line of lines) io.out(`  ${line}\n`)
  }
  io.out('\n')
}

const outcome = ({ record, lost }: Explanation, { paint }: Io): string => {
  if (record === undefined) return paint('yellow', lost ? 'lost in a crash' : 'not ended')
  return paint(COLOURS[record.outcome], record.outcome.replace('_', ' '))
}

const COLOURS = {
  allowed: 'green',
  redacted: 'yellow',
  cut: 'yellow',
  refused: 'red',
  failed: 'red',
  client_gone: 'dim',
} as const
