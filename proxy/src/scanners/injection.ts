import type { Rule } from '../core/rule.ts'
import { disguisedRules } from './injection-disguised.ts'
import { documentRules, turnRules } from './injection-documents.ts'
import { extractionRules } from './injection-extraction.ts'
import { jailbreakRules } from './injection-jailbreak.ts'
import { languageRules } from './injection-languages.ts'
import { overrideRules } from './injection-override.ts'

/**
 * Phrases of injection and jailbreak. From 0.8 a phrase alone is enough to block what a user or a document says; below,
 * it is a sign among others. Developers' own system prompts say such things too: policy should read `system` texts apart.
 */
export const injectionRules = {
  ...overrideRules,
  ...extractionRules,
  ...jailbreakRules,
  ...documentRules,
  ...disguisedRules,
  ...turnRules,
  ...languageRules,
} as const satisfies Record<string, Rule>
