import { parseArgs } from 'node:util'
import { deskClient, type DeskClient } from '../respond/desk-client.ts'
import type { Aim } from '../respond/rules.ts'
import { CliError, EXIT, type Command, type Io } from './command.ts'
import { readKeyFile } from './key-file.ts'
import { json, plain, shown, table } from './respond-table.ts'

export const respondCommand: Command = {
  help: `usage: postern respond list [--all] [DESK] [--json]
       postern respond do revoke --subject NAME --tenant NAME --via WAY --for TIME [DESK] [--json]
       postern respond do tighten --overlay NAME --for TIME [DESK] [--json]
       postern respond do quarantine [--namespace NAME --pod NAME] --for TIME [DESK] [--json]
       postern respond undo ORDER [DESK] [--json]

Lists, gives and undoes responses to threats, at the desk of one guard (its admin port) or of the controller (for the
guards that follow it). All of it is written to the audit log of the desk, with your name.

list         what is in force; with --all also what ended within the last hour
revoke       that caller is refused, and what runs for it is cut; the names are those of audit records
tighten      policy gets stricter by that overlay of the configuration
quarantine   at a guard: that guard answers nothing any more; at the controller: the pod is closed, and its guard too
undo         ends an order at once

  --for TIME           how long: 90s, 15m, 2h, 7d. respond.limits.longest of the desk shortens it
  --by NAME            your name for the audit log; without it the variable USER

DESK
  --url URL            http://127.0.0.1:8081 when absent, or the variable POSTERN_RESPOND_URL
  --secret-file FILE   the secret of operators; without it the variable POSTERN_RESPOND_SECRET
  --ca FILE            certificates (PEM) that vouch for the desk, such as ca.crt of the ConfigMap postern-trust
  --server-name NAME   the name in its certificate, when the address is another, as with a port-forward
  --plain-http         sends the secret to another machine without TLS, where whoever is between can read it

examples
  postern respond list --secret-file operator
  postern respond do revoke --subject ci --tenant acme --via api-key --for 1h --by alice --secret-file operator
  postern respond undo 0123456789abcdef --by alice --secret-file operator

exit codes
  0  done     1  the desk said no, and why: not in force, protected, too many, no such pod     2  wrong usage
  3  the desk did not answer, refused the secret, or a file could not be read
`,
  run: async (args, io) => {
    const { values, positionals } = parsed(args)
    const [action, ...rest] = positionals
    const command: Asked = { values, rest, io }
    switch (action) {
      case 'list':
        return list(command)
      case 'do':
        return give(command)
      case 'undo':
        return undo(command)
      default:
        throw new CliError('write: postern respond list, do or undo; see postern respond --help')
    }
  },
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

const parsed = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...{ url: text, 'secret-file': text, ca: text, 'server-name': text, 'plain-http': flag },
      ...{ all: flag, json: flag, by: text, for: text },
      ...{ subject: text, tenant: text, via: text, overlay: text, namespace: text, pod: text },
    },
  })

type Values = ReturnType<typeof parsed>['values']

interface Asked {
  readonly values: Values
  readonly rest: readonly string[]
  readonly io: Io
}

/** The controller looks pods up before it answers. */
const TIMEOUT_MS = 30_000

const deskOf = ({ values, io }: Asked): DeskClient => {
  const given = values.url ?? io.env['POSTERN_RESPOND_URL'] ?? 'http://127.0.0.1:8081'
  const url = URL.parse(given)
  if (
    url === null ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username !== '' ||
    url.password !== ''
  )
    throw new CliError(
      '--url takes an address such as https://postern-controller.postern.svc, without a password',
    )
  if (url.protocol === 'http:' && !isHere(url) && values['plain-http'] !== true)
    throw new CliError(
      `${url.origin} is another machine and not https: whoever is between reads the secret; use https, a port-forward, or say --plain-http`,
    )
  const { ca, 'server-name': serverName } = values
  return deskClient({
    url,
    secret: secretOf(values, io),
    ...(ca !== undefined && { ca: certificatesIn(ca) }),
    ...(serverName !== undefined && { serverName }),
    timeoutMs: TIMEOUT_MS,
  })
}

const isHere = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)

const secretOf = (values: Values, io: Io): string => {
  const file = values['secret-file']
  const found = file === undefined ? io.env['POSTERN_RESPOND_SECRET'] : readKeyFile(file)
  if (found === undefined)
    throw new CliError(
      'give the secret of operators: --secret-file FILE, or the variable POSTERN_RESPOND_SECRET',
    )
  const secret = found.trim()
  if (!/^[\x20-\x7e]{16,4096}$/.test(secret))
    throw new CliError(
      `${file ?? 'POSTERN_RESPOND_SECRET'} holds no secret: one line of 16 to 4096 letters, digits and signs of ASCII`,
    )
  return secret
}

const certificatesIn = (file: string): string => {
  const pem = readKeyFile(file)
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new CliError(`${file} holds no certificate in PEM`)
  return pem
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9@._:-]{0,127}$/

const nameOf = ({ values, io }: Asked): string => {
  const by = values.by ?? io.env['USER'] ?? ''
  if (!NAME.test(by))
    throw new CliError('say who you are, for the audit log: --by NAME (letters, digits and @._:-)')
  return by
}

const failed = (error: unknown): never => {
  throw new CliError(shown((error as Error).message), EXIT.failed)
}

const list = async (asked: Asked): Promise<number> => {
  const { values, rest, io } = asked
  if (rest.length > 0) throw new CliError('list takes no name; see postern respond --help')
  const all = await deskOf(asked).list().catch(failed)
  const orders = values.all ? all : all.filter(({ inForce }) => inForce)
  if (values.json) io.out(`${json({ orders: orders.map(plain) })}\n`)
  else if (orders.length === 0) io.out(values.all ? 'There are no orders.\n' : 'No order is in force.\n')
  else table(orders, io)
  return EXIT.ok
}

const give = async (asked: Asked): Promise<number> => {
  const { values, rest, io } = asked
  const [kind, ...more] = rest
  if (more.length > 0)
    throw new CliError(`do takes one of revoke, tighten and quarantine, not '${shown(more.join(' '))}' too`)
  const wish = { aim: aimOf(kind, values), by: nameOf(asked), seconds: secondsIn(values.for) }
  const { done, result, id, until } = await deskOf(asked).give(wish).catch(failed)
  if (values.json) io.out(`${json({ result, id, until })}\n`)
  else if (done) {
    const end = until === '' ? '' : ` until ${shown(until)}`
    io.out(
      `${io.paint('green', shown(DONE[result] ?? result))}: ${wish.aim.kind}${end}, order ${io.paint('bold', shown(id))}\n`,
    )
  } else io.err(`postern: ${shown(WHY[result] ?? `the desk says ${result}`)}\n`)
  return done ? EXIT.ok : EXIT.no
}

const DONE: Readonly<Record<string, string>> = {
  began: 'began',
  extended: 'in force already, now longer',
  known: 'in force already, and not shortened',
}

const WHY: Readonly<Record<string, string>> = {
  protected: 'the desk protects that caller or that pod; its configuration says so under respond',
  full: 'the desk has as many orders as it can hold; undo some, or wait for their end',
  unknown: 'the desk knows no such pod with a guard; name it with --namespace and --pod, as kubectl does',
}

const undo = async (asked: Asked): Promise<number> => {
  const { values, rest, io } = asked
  const [id = '', ...more] = rest
  if (!/^[0-9a-f]{16}$/.test(id) || more.length > 0)
    throw new CliError('undo takes the 16 digits of one order, as postern respond list shows them')
  const done = await deskOf(asked).undo(id, nameOf(asked)).catch(failed)
  if (values.json) io.out(`${json({ id, undone: done })}\n`)
  else if (done) io.out(`${io.paint('green', 'undone')}: order ${id}\n`)
  if (!done)
    io.err(
      `postern: order ${id} is not in force at this desk; postern respond list --all shows those that ended\n`,
    )
  return done ? EXIT.ok : EXIT.no
}

const aimOf = (kind: string | undefined, values: Values): Aim => {
  const { subject, tenant, via, overlay, namespace = '', pod = '' } = values
  switch (kind) {
    case 'revoke':
      if (!subject || !tenant || !via)
        throw new CliError('revoke needs --subject, --tenant and --via, as in audit records')
      return { kind, caller: { subject, tenant, via } }
    case 'tighten':
      if (!overlay) throw new CliError('tighten needs --overlay: a name under respond.overlays')
      return { kind, overlay }
    case 'quarantine':
      if ((namespace === '') !== (pod === ''))
        throw new CliError('quarantine needs both --namespace and --pod, or neither for a guard itself')
      return { kind, namespace, pod }
    default:
      throw new CliError(
        'write: postern respond do revoke, tighten or quarantine; see postern respond --help',
      )
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const LONGEST_S = 366 * 86_400

const secondsIn = (span: string | undefined): number => {
  const [, digits = '', unit = ''] = /^([1-9]\d{0,8})([smhd])$/.exec(span ?? '') ?? []
  const seconds = Number(digits) * (UNITS[unit] ?? 0)
  if (seconds < 1 || seconds > LONGEST_S)
    throw new CliError('say for how long: --for 15m (s, m, h or d; at most 366d)')
  return seconds
}
