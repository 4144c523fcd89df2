import type { Caller, Identifier, Presented } from '../core/caller.ts'
import type { Config } from '../config/schema.ts'
import { anonymousIdentifier } from '../identity/anonymous.ts'
import { apiKeyIdentifier } from '../identity/api-key.ts'
import { certificateIdentifier } from '../identity/certificate.ts'
import { identify } from '../identity/identify.ts'
import type { Instruments } from '../identity/instruments.ts'
import type { KeptKeys } from '../identity/key-source.ts'
import { jwtIdentifier } from '../identity/jwt.ts'
import { localIssuer, type LocalIssuer } from '../identity/local-issuer.ts'
import { serviceAccountIdentifier } from '../identity/service-account.ts'
import { accountsIn, apiKeysIn, readOptional } from './files.ts'
import { given } from './given.ts'

type IdentityConfig = Config['identity']
type Kind = NonNullable<IdentityConfig['order']>[number]

export interface Identity {
  readonly identify: (presented: Presented) => Promise<Caller>
  /** Undefined when no local issuer is configured. */
  readonly local: LocalIssuer | undefined
  close(): Promise<void>
}

const ORDER: readonly Kind[] = ['certificates', 'jwt', 'local', 'serviceAccounts', 'apiKeys', 'anonymous']

/** What outlives one configuration. */
export interface IdentityBase extends Instruments {
  /** PEM of the key that signs local tokens when no key file is given. */
  readonly localKey: string
  readonly keptKeys: KeptKeys
}

/** Every configured way to know a caller, in order. */
export const composeIdentity = (config: IdentityConfig, base: IdentityBase): Identity => {
  const local = config.local ? composeLocal(config.local, base) : undefined
  const made: Identifier[] = []
  try {
    for (const kind of config.order ?? ORDER) {
      const identifier = kind === 'local' ? local?.identifier : make(kind, config, base)
      if (identifier) made.push(identifier)
    }
    return {
      identify: identify(made, base),
      local,
      close: async () => {
        await Promise.all(made.map((one) => one.close()))
      },
    }
  } catch (error) {
    for (const one of made) void one.close()
    throw error
  }
}

const make = (
  kind: Exclude<Kind, 'local'>,
  config: IdentityConfig,
  base: IdentityBase,
): Identifier | undefined => {
  switch (kind) {
    case 'jwt':
      return config.jwt && composeJwt(config.jwt, base)
    case 'apiKeys':
      return (
        config.apiKeys &&
        apiKeyIdentifier({ ...config.apiKeys, keys: apiKeysIn(config.apiKeys.file).map(given) })
      )
    case 'certificates':
      return (
        config.certificates &&
        certificateIdentifier(given({ ...config.certificates, grants: grantsOf(config.certificates) }))
      )
    case 'serviceAccounts':
      return config.serviceAccounts && composeServiceAccounts(config.serviceAccounts, base)
    case 'anonymous':
      return config.anonymous && anonymousIdentifier(given(config.anonymous))
  }
}

const composeJwt = (jwt: NonNullable<IdentityConfig['jwt']>, base: IdentityBase): Identifier =>
  jwtIdentifier(
    {
      ...jwt,
      keptKeys: base.keptKeys,
      issuers: jwt.issuers.map(({ caFile, claims, ...rest }) =>
        given({
          ...rest,
          ca: readOptional(caFile),
          claims: given({ ...claims, defaults: claims.defaults && given(claims.defaults) }),
        }),
      ),
    },
    base,
  )

const composeServiceAccounts = (
  config: NonNullable<IdentityConfig['serviceAccounts']>,
  instruments: Instruments,
): Identifier => serviceAccountIdentifier(given({ ...config, grants: grantsOf(config) }), instruments)

const grantsOf = ({ grants }: Pick<NonNullable<IdentityConfig['certificates']>, 'grants'>) =>
  grants?.map(given)

const composeLocal = (config: NonNullable<IdentityConfig['local']>, base: IdentityBase): LocalIssuer =>
  localIssuer(
    {
      issuer: config.issuer,
      audience: config.audience,
      lifetimeS: config.tokenTtlS,
      privateKey: readOptional(config.keyFile) ?? base.localKey,
      users: accountsIn(config.usersFile).map(given),
      clients: accountsIn(config.clientsFile).map(given),
    },
    base,
  )
