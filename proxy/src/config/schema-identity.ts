import { z } from 'zod'
import { name, path, url } from './fields.ts'
import { seconds, section } from './quantities.ts'

const text = () => z.string().min(1).max(256)
const texts = () => z.array(text()).max(64)

const grants = () =>
  z
    .array(
      section({
        match: text().describe(
          'The name in segments: * is any one segment, {tenant} too and names the tenant, a last ** is one or more.',
        ),
        tenant: text().optional().describe('Tenant of the callers that match.'),
        roles: texts().describe('Roles of the callers that match.'),
        scopes: texts().optional().describe('Scopes of the callers that match.'),
      }),
    )
    .max(1000)
    .optional()
    .describe(
      'What callers may be, by name. The first that matches counts; without one a caller has no role.',
    )

const claimPath = () =>
  z.union([text(), z.array(text()).min(1).max(8)], { error: 'write realm_access.roles, or a list of names' })

const issuer = section({
  name: name().describe('Short name for metrics and audit.'),
  issuer: text().describe(
    'Exactly the iss claim of its tokens. Without jwksUrl also where discovery starts.',
  ),
  audiences: texts().min(1).describe('Accepted aud claims: a token for somebody else must not work here.'),
  jwksUrl: url('https', 'http').optional().describe('Address of the key set. By discovery when absent.'),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .optional()
    .describe('Accepted signature algorithms; all of these when absent. Symmetric ones are never accepted.'),
  leeway: seconds('0s', '30s')
    .prefault('5s')
    .describe('Clock difference allowed. Longer keeps expired tokens alive.'),
  maxAge: seconds('1s', '30d').optional().describe('Oldest token by its iat claim, which is then required.'),
  typ: text().optional().describe('Required typ header, such as at+jwt. None, JWT or at+jwt when absent.'),
  allowThumbprints: z
    .boolean()
    .optional()
    .describe('Accepts the unused headers x5t and x5t#S256, which Microsoft Entra sends.'),
  allowHttp: z
    .boolean()
    .optional()
    .describe('Fetches keys from another machine over plain http: whoever is between can make tokens.'),
  caFile: path()
    .optional()
    .describe('PEM certificates that vouch for the key server, instead of the public ones.'),
  refresh: seconds('10s', '1d').prefault('10m').describe('How often keys are fetched.'),
  maxStale: seconds('10s', '30d')
    .prefault('6h')
    .describe('How long old keys count while fetches fail. Longer also keeps withdrawn keys alive.'),
  claims: section({
    subject: claimPath().optional().describe('Claim that names the caller; sub when absent.'),
    tenant: claimPath().optional().describe('Claim that names the tenant.'),
    roles: claimPath().optional().describe('Claim that lists roles.'),
    scopes: claimPath().optional().describe('Claim that lists scopes; scope when absent.'),
    defaults: section({
      tenant: text()
        .optional()
        .describe('Tenant of tokens without that claim; they are refused when absent.'),
      roles: texts().optional().describe('Roles of tokens without that claim.'),
      scopes: texts().optional().describe('Scopes of tokens without that claim.'),
    }).optional(),
  }).prefault({}),
})

const jwt = section({
  issuers: z.array(issuer).min(1).max(64).describe('Who may sign tokens.'),
  cacheEntries: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(10_000)
    .describe('Verified tokens remembered, about 400 bytes each.'),
  cache: seconds('0s', '1h')
    .prefault('5m')
    .describe('How long a verified token is remembered at most, never past its end.'),
})

const apiKeys = section({
  file: path().describe(
    'YAML list of {hash, subject, tenant, roles, scopes?, notAfter?}; `postern token` makes the hashes.',
  ),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,16}$/)
    .default('pk-')
    .describe('How keys begin; tells them from tokens.'),
  headers: z
    .array(z.enum(['authorization', 'x-api-key', 'api-key']))
    .min(1)
    .default(['authorization', 'x-api-key', 'api-key'])
    .describe('Headers that may carry a key.'),
})

const certificates = section({
  subject: z
    .enum(['spiffe', 'dns', 'email'])
    .default('spiffe')
    .describe('Which name in the certificate is the caller.'),
  trustDomains: texts().optional().describe('Accepted SPIFFE trust domains. Needed for spiffe.'),
  grants: grants(),
  defaultTenant: text()
    .optional()
    .describe('Tenant of callers whose grant names none; they are refused when absent.'),
})

const serviceAccounts = section({
  audiences: texts()
    .min(1)
    .describe('Audiences that a token must be for. A token for the API server itself should not work here.'),
  issuer: text().optional().describe('Exactly the iss claim; any when absent.'),
  server: url('https').optional().describe('Kubernetes API server; the one of this cluster when absent.'),
  caFile: path().optional().describe('PEM of the API server CA; the mounted one when absent.'),
  tokenFile: path().optional().describe('Token of the guard for TokenReview; the mounted one when absent.'),
  grants: grants(),
  cache: seconds('0s', '60s')
    .prefault('30s')
    .describe('How long a good answer is kept. A deleted account works this much longer.'),
})

const local = section({
  issuer: text().describe('The iss claim of tokens made here.'),
  audience: text().describe('The aud claim of tokens made here.'),
  usersFile: path()
    .optional()
    .describe('YAML list of {name, password (scrypt), tenant, roles, scopes?} for POST /auth.'),
  clientsFile: path().optional().describe('The same for POST /oauth/token.'),
  tokenTtl: seconds('60s', '1h').prefault('15m').describe('Life of a token. It cannot be withdrawn before.'),
  keyFile: path()
    .optional()
    .describe(
      'PEM (PKCS #8) signing key, P-256 or Ed25519. Without it tokens end with this process and work on one replica only.',
    ),
})

export const identitySchema = section({
  order: z
    .array(z.enum(['certificates', 'jwt', 'local', 'serviceAccounts', 'apiKeys', 'anonymous']))
    .optional()
    .describe(
      'Which credential counts when several are presented. The order of this sentence when absent: certificates, jwt, local, serviceAccounts, apiKeys, anonymous.',
    ),
  jwt: jwt.optional().describe('Bearer tokens of your issuers.'),
  apiKeys: apiKeys.optional().describe('API keys, stored as hashes.'),
  certificates: certificates
    .optional()
    .describe('Client certificates. Needs server.tls with client certificates.'),
  serviceAccounts: serviceAccounts
    .optional()
    .describe('Kubernetes ServiceAccount tokens, checked by TokenReview.'),
  local: local.optional().describe('Tokens made by this guard, for those who have no issuer.'),
  anonymous: section({
    tenant: text().default('anonymous').describe('Tenant of callers without a credential.'),
    roles: texts().describe('Roles of callers without a credential.'),
    scopes: texts().optional().describe('Scopes of callers without a credential.'),
  })
    .optional()
    .describe('Serves callers without any credential. For development.'),
})
