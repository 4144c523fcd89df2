import type { Rule } from '../core/rule.ts'
import { cloudSecretRules } from './secrets-cloud.ts'
import { genericSecretRules } from './secrets-generic.ts'
import { modelSecretRules } from './secrets-models.ts'
import { businessSecretRules, developerSecretRules } from './secrets-services.ts'

/** Credentials. Where a format has a checksum or a marker, the rule checks it; rules that go by the words around a value score lower. */
export const secretRules = {
  ...cloudSecretRules,
  ...modelSecretRules,
  ...developerSecretRules,
  ...businessSecretRules,
  ...genericSecretRules,
} as const satisfies Record<string, Rule>
