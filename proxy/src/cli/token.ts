import { parseArgs } from 'node:util'
import { newApiKey } from '../identity/api-key.ts'
import { hashPassword } from '../identity/password.ts'
import { localIssuer } from '../identity/local-issuer.ts'
import { readText } from '../compose/files.ts'
import { CliError, EXIT, type Command, type Io } from './command.ts'
import { loadConfig } from './load-config.ts'

const MAX_PASSWORD = 1024

export const tokenCommand: Command = {
  help: `usage: postern token key [--prefix pk-] [--json]
       postern token password < FILE
       postern token issue --config FILE --subject NAME --tenant NAME [--role NAME ...] [--scope NAME ...]

key        a new API key, shown once, and the hash for the file under identity.apiKeys.file; --prefix must be
           that of identity.apiKeys.prefix
password   the scrypt hash of the password on standard input, for a users or clients file
issue      a token signed with identity.local.keyFile of the configuration, as POST /auth would give it

examples
  postern token key
  printf %s "$PASSWORD" | postern token password
  postern token issue --config postern.yaml --subject ci --tenant tools --role service

exit codes
  0  done     2  wrong usage or configuration     3  a file could not be read
`,
  run: async (args, io) => {
    const [action, ...rest] = args
    switch (action) {
      case 'key':
        return key(rest, io)
      case 'password':
        return password(rest, io)
      case 'issue':
        return issue(rest, io)
      default:
        throw new CliError('write: postern token key, password or issue; see postern token --help')
    }
  },
}

const key = (args: readonly string[], io: Io): number => {
  const { values } = parseArgs({
    args: [...args],
    options: { prefix: { type: 'string' }, json: { type: 'boolean' } },
  })
  const { prefix } = values
  if (prefix !== undefined && !/^[A-Za-z0-9-]{1,16}$/.test(prefix))
    throw new CliError(
      '--prefix must be 1 to 16 letters, digits or -, and the same as identity.apiKeys.prefix',
    )
  const made = newApiKey(prefix)
  if (values.json) io.out(`${JSON.stringify(made)}\n`)
  else io.out(`key:  ${io.paint('bold', made.key)}\nhash: ${made.hash}\n`)
  return EXIT.ok
}

const password = async (args: readonly string[], io: Io): Promise<number> => {
  parseArgs({ args: [...args], options: {} })
  const text = (await io.stdin(MAX_PASSWORD)).toString('utf8').replace(/\r?\n$/, '')
  if (text === '') throw new CliError('write the password to standard input; see postern token --help')
  io.out(`${await hashPassword(text)}\n`)
  return EXIT.ok
}

const issue = async (args: readonly string[], io: Io): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      subject: { type: 'string' },
      tenant: { type: 'string' },
      role: { type: 'string', multiple: true },
      scope: { type: 'string', multiple: true },
    },
  })
  const { config: file, subject, tenant, role: roles = [], scope: scopes = [] } = values
  if (file === undefined || subject === undefined || tenant === undefined) {
    throw new CliError('issue needs --config, --subject and --tenant; see postern token --help')
  }
  const { local } = loadConfig(file, io).identity
  if (local?.keyFile === undefined) {
    throw new CliError(
      `${file} has no identity.local.keyFile; add one (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256), ` +
        'as a token signed with another key than the guard has would be refused',
    )
  }
  const { issuer, audience, tokenTtlS: lifetimeS, keyFile } = local
  const source = localIssuer(
    { issuer, audience, lifetimeS, privateKey: readText(keyFile), users: [], clients: [] },
    {},
  )
  const token = await source.issue({ name: subject, tenant, roles, scopes })
  await source.identifier.close()
  io.out(`${token.access_token}\n`)
  return EXIT.ok
}
