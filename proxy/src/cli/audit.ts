import { parseArgs } from 'node:util'
import { verifyAudit, type AuditReport } from '../audit/verify.ts'
import { CliError, EXIT, unreadable, type Command, type Io } from './command.ts'
import { readPublicKey } from './key-file.ts'

export const auditCommand: Command = {
  help: `usage: postern audit verify LOG [--key FILE] [--json]

Checks that no line of the log was changed, dropped, doubled, moved, put in or cut off. LOG is the log, whose
rotated files are checked with it, one rotated file, or a folder that holds one log.

  --key FILE   public keys (PEM) to trust, kept where whoever writes the log cannot reach; without it LOG.pub
               beside the log is trusted
  --json       the whole report

example
  postern audit verify /var/log/postern/audit.log --key audit.pub

exit codes
  0  whole     1  something is wrong, and what     2  wrong usage     3  the log could not be read
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { key: { type: 'string' }, json: { type: 'boolean' } },
    })
    const [action, path, ...more] = positionals
    if (action !== 'verify' || path === undefined || more.length > 0) {
      throw new CliError('write: postern audit verify LOG; see postern audit --help')
    }
    const report = await verify(path, values.key)
    if (values.json) io.out(`${JSON.stringify(report)}\n`)
    else print(report, io)
    return report.ok ? EXIT.ok : EXIT.no
  },
}

const verify = async (path: string, key: string | undefined): Promise<AuditReport> => {
  const publicKey = key === undefined ? undefined : readPublicKey(key)
  try {
    return await verifyAudit(path, publicKey === undefined ? {} : { publicKey })
  } catch (error) {
    throw new CliError(`cannot verify ${path}: ${unreadable(error)}`, EXIT.failed)
  }
}

const print = (report: AuditReport, io: Io): void => {
  const { problem, lines, exchanges, lost, unfinished, signedSeq, firstSeq, lastSeq } = report
  if (problem) {
    const { file, line, message, code } = problem
    io.out(`${io.paint('red', 'not whole')}: ${file}${line > 0 ? `:${line}` : ''}: ${message} (${code})\n`)
    return
  }
  io.out(
    `${io.paint('green', 'whole')}: ${lines} lines (${firstSeq} to ${lastSeq}), signed up to line ${signedSeq}, ` +
      `${exchanges} exchanges, ${lost} lost in a crash, ${unfinished} unfinished\n`,
  )
  for (const note of report.notes) io.out(`${io.paint('dim', note)}\n`)
}
