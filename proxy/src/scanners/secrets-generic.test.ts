import { expect, test } from '@jest/globals'
import { compileScanner } from '../text/scanner.ts'
import { chars, rows, rulesIn, type Samples } from './samples.ts'
import { genericSecretRules } from './secrets-generic.ts'

const { alnum, hex } = chars
const scanner = compileScanner({
  name: 'generic',
  tables: [{ category: 'secret', rules: genericSecretRules }],
})

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const dashes = '-'.repeat(5)
const pem = (kind: string, body: string): string =>
  `${dashes}BEGIN ${kind}${dashes}\n${body}\n${dashes}END ${kind}${dashes}`

const samples: Record<keyof typeof genericSecretRules, Samples> = {
  'private-key': {
    hits: [
      pem('PRIVATE KEY', `${alnum(64)}\n${alnum(64)}`),
      pem('RSA PRIVATE KEY', `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${hex(32)}\n\n${alnum(64)}`),
      pem('OPENSSH PRIVATE KEY', alnum(70)),
      pem('PGP PRIVATE KEY BLOCK', alnum(64)),
      // As a string of JSON, and cut off before its footer.
      `${dashes}BEGIN PRIVATE KEY${dashes}\\n${alnum(64)}\\n`,
    ],
    misses: [pem('PUBLIC KEY', alnum(64)), pem('PRIVATE KEY', '...'), pem('CERTIFICATE', alnum(64))],
  },
  'putty-private-key': {
    hits: [`Private-Lines: 1\n${alnum(64)}=`],
    misses: [`Public-Lines: 1\n${alnum(64)}=`],
  },
  'jwk-private-key': {
    hits: [`{"kty":"EC","d":"${alnum(43)}"}`],
    misses: [`{"kty":"EC","x":"${alnum(43)}"}`],
  },
  'wireguard-key': { hits: [`PrivateKey = ${alnum(43)}=`], misses: [`PublicKey = ${alnum(43)}=`] },
  jwt: {
    hits: [`${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url('{"sub":"someone"}')}.${alnum(43)}`],
    misses: [
      `${base64url('{"typ":"JWT","kid":"none"}')}.${base64url('{"sub":"someone"}')}.${alnum(43)}`,
      `eyJ${alnum(30)}.${alnum(30)}.${alnum(30)}`,
    ],
  },
  'database-url': {
    hits: ['postgresql://app:hunter2@db.internal/prod', 'mongodb+srv://app:hunter2@c0.example.net'],
    misses: ['postgresql://db.internal/prod', 'postgres://user:${PASSWORD}@db', 'mysql://app:password@db'],
  },
  'url-credentials': {
    hits: ['https://deploy:hunter2@git.example.com/x.git'],
    misses: ['https://git.example.com:8443/a@b', 'https://user:<token>@example.com', 'http://host:8080/path'],
  },
  'connection-string-password': {
    hits: ['Server=db;User Id=app;Password=hunter2!;Database=x'],
    misses: ['Server=db;Password={0};', 'Server=db;Password=<password>;'],
  },
  'basic-authorization': {
    hits: [`Authorization: Basic ${Buffer.from('app:hunter2').toString('base64')}`],
    misses: ['Basic authentication is simple', 'Basic Information'],
  },
  'bearer-token': {
    hits: [`Authorization: Bearer ${alnum(40)}`],
    misses: ['Bearer of good news', 'Bearer <token>'],
  },
  'curl-user-password': {
    hits: ['curl -u "elastic:P4ssw0rd1" https://localhost', 'curl --user admin:hunter22 x'],
    misses: ['curl -u "$USER:$PASSWORD" x', 'sort -u file'],
  },
  'netrc-password': {
    hits: ['machine a login bob password 012345abc'],
    misses: ['login with your password'],
  },
  'password-hash': { hits: [`$2b$12$${alnum(53)}`], misses: ['$2b$12$short'] },
  'crypt-hash': { hits: [`$6$rounds=5000$${alnum(16)}$${alnum(86)}`], misses: ['$6$x'] },
  'password-assignment': {
    hits: [`password = "hunter2-${alnum(4)}"`, `"db_password": "S3cr!t-word"`],
    misses: ['password = "string"', 'password = ""', 'password: "<your password>"', `password = config.db`],
  },
  'password-statement': {
    hits: ['the password is Tr0ub4dor&3', 'password for admin: hunter22x'],
    misses: ['the password is wrong', 'the password is required for this'],
  },
  'sql-password': {
    hits: ["create user app identified by 'SqLpa5sW0rD'"],
    misses: ["create user app identified by 'password'"],
  },
  'secret-assignment': {
    hits: [`api_key = "${alnum(32)}"`, `CLIENT_SECRET=${hex(40)}`, `"token": "${alnum(24)}"`],
    misses: [
      'api_key = os.environ["API_KEY"]',
      'token = your_token_goes_here_12',
      'secret = "the-old-house"',
    ],
  },
}

test.each(rows(samples))('%s is found where it stands and only there', (rule, { hits, misses }) => {
  for (const hit of hits) expect(rulesIn(scanner, `see ${hit} here`)).toContain(rule)
  for (const miss of misses) expect(rulesIn(scanner, `see ${miss} here`)).not.toContain(rule)
})

test('a private key is found from its header to its footer', () => {
  const key = pem('EC PRIVATE KEY', `${alnum(64)}\n${alnum(40)}`)
  const [finding] = scanner.scan(`before\n${key}\nafter`)
  expect(finding).toMatchObject({ rule: 'private-key', start: 7, end: 7 + key.length })
})
