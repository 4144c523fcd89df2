import type { Rule } from '../core/rule.ts'
import { EQUALS } from './context.ts'
import { isBasicCredential, isJwt } from './tokens.ts'
import { entropy, isVaried, looksChosen, looksRandom } from './variety.ts'

/** `user:password@` as it stands in a URL: the password is neither a variable nor a mask. */
const isUserInfo = (found: string): boolean => {
  const password = found.slice(found.indexOf(':') + 1, -1)
  return (
    !/^[$%{<[]|^(?:pass|password|pwd|pw|token|secret|x+|\*+)$|\}|>$|\.\.\./i.test(password) &&
    !/^\d+$/.test(password)
  )
}

const isUserPassword = (found: string): boolean => isUserInfo(`${found}@`) && /[A-Za-z]/.test(found)

/** Keys, tokens and passwords that no one service owns. */
export const genericSecretRules = {
  'private-key': {
    pattern:
      '-----BEGIN (?:[A-Z0-9]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-]){32,}(?:-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----)?',
    bounds: 'none',
    check: (found) => entropy(found) > 4,
    evidence: 'entropy',
  },
  'putty-private-key': {
    prefix: 'Private-Lines: \\d{1,3}\\s{1,2}',
    pattern: '[A-Za-z0-9+/=\\s]{64,}',
    bounds: 'none',
  },
  'jwk-private-key': { prefix: '"d"\\s{0,2}:\\s{0,2}"', pattern: '[A-Za-z0-9_-]{43,}', check: isVaried },
  'wireguard-key': {
    prefix: '(?:PrivateKey|PresharedKey)\\s{0,2}=\\s{0,2}',
    pattern: '[A-Za-z0-9+/]{43}=',
    bounds: 'none',
  },
  jwt: {
    pattern: 'eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}',
    check: isJwt,
    evidence: 'jwt-header',
    score: 0.9,
  },
  'database-url': {
    prefix:
      '(?:postgres|postgresql|mysql|mariadb|mongodb|mongodb\\+srv|redis|rediss|amqp|amqps|mssql|sqlserver|clickhouse|cockroachdb|ldap|ldaps)://',
    pattern: '[^\\s:/@"\'<>]{0,64}:[^\\s/@"\'<>]{1,128}@',
    bounds: 'none',
    check: isUserInfo,
    score: 0.9,
  },
  'url-credentials': {
    prefix:
      '(?:https?|ftps?|sftp|ssh|git|git\\+https|svn|smtps?|imaps?|wss?|socks5h?|jdbc:[a-z]{2,12}|dbconnection)://',
    pattern: '[^\\s:/@"\'<>]{1,64}:[^\\s/@"\'<>]{3,128}@',
    bounds: 'none',
    check: isUserInfo,
    score: 0.9,
  },
  'connection-string-password': {
    prefix: '; ?(?:password|pwd)\\s{0,2}=\\s{0,2}',
    pattern: '[^\\s;"\'<>{}]{4,128}',
    ignoreCase: true,
    bounds: 'none',
    check: looksChosen,
    score: 0.8,
  },
  'basic-authorization': {
    prefix: 'basic\\s{1,2}',
    pattern: '[A-Za-z0-9+/]{8,}={0,2}',
    ignoreCase: true,
    bounds: 'none',
    check: isBasicCredential,
    evidence: 'base64',
    score: 0.8,
  },
  'bearer-token': {
    prefix: 'bearer\\s{1,3}',
    pattern: '[A-Za-z0-9_.~+/-]{20,}={0,2}',
    ignoreCase: true,
    bounds: 'none',
    check: looksRandom,
    evidence: 'entropy',
    score: 0.8,
  },
  'curl-user-password': {
    prefix: ' (?:-u|--user)[ =]{0,2}["\']?',
    pattern: '[^\\s:"\'/$<{-][^\\s:"\']{0,64}:[^\\s"\'/$<{][^\\s"\']{2,64}',
    bounds: 'none',
    check: isUserPassword,
    score: 0.6,
  },
  'netrc-password': {
    prefix: 'login\\s{1,3}[^\\s]{1,64}\\s{1,3}password\\s{1,3}',
    pattern: '[^\\s"\'<>]{3,64}',
    bounds: 'none',
    score: 0.7,
  },
  'password-hash': { pattern: '\\$2[abxy]\\$\\d\\d\\$[./A-Za-z0-9]{53}', score: 0.8 },
  'crypt-hash': {
    pattern: '\\$[156y]\\$(?:rounds=\\d{1,9}\\$)?[./A-Za-z0-9]{1,32}\\$[./A-Za-z0-9]{22,86}',
    score: 0.7,
  },
  'password-assignment': {
    prefix: `(?:password|passwd|passwort|passphrase|pwd|passw)[a-z0-9_]{0,10}${EQUALS}["'\`]`,
    pattern: '[^\\s"\'`]{6,128}',
    ignoreCase: true,
    bounds: 'none',
    check: looksChosen,
    score: 0.6,
  },
  'password-statement': {
    prefix:
      '(?:password|passwd|passphrase|passcode|pwd|pass|pw)(?: for [a-z0-9_]{1,20})?(?: is| ?:=?| ?=)\\s{0,3}',
    pattern: '[^\\s"\'`,;<>(){}=]{6,128}',
    ignoreCase: true,
    bounds: 'none',
    check: (found) => looksChosen(found) && /\d/.test(found),
    score: 0.5,
  },
  'sql-password': {
    prefix: '(?:identified by|password)\\s{1,2}["\']',
    pattern: '[^\\s"\'`]{4,64}',
    ignoreCase: true,
    bounds: 'none',
    check: looksChosen,
    score: 0.6,
  },
  'secret-assignment': {
    prefix: `(?:secret|token|api_?key|apikey|api-key|access_?key|auth_?key|private_?key|encryption_?key|client_?credential|credentials?)[a-z0-9_]{0,10}${EQUALS}["'\`]?`,
    pattern: '[A-Za-z0-9_+/.~!@#%^&*-]{12,256}={0,2}',
    ignoreCase: true,
    bounds: 'none',
    check: (found) => looksRandom(found) && entropy(found) >= 3.1,
    evidence: 'entropy',
    score: 0.6,
  },
} as const satisfies Record<string, Rule>
