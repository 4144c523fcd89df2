import type { Rule } from '../core/rule.ts'
import { UUID, settingOf } from './context.ts'
import { isVaried, looksRandom } from './variety.ts'

/** Credentials of model providers and of the tools around them. */
export const modelSecretRules = {
  'anthropic-api-key': { pattern: 'sk-ant-api\\d\\d-[A-Za-z0-9_-]{93}AA', check: isVaried },
  'anthropic-admin-key': { pattern: 'sk-ant-admin\\d\\d-[A-Za-z0-9_-]{93}AA', check: isVaried },
  'anthropic-session-token': {
    pattern: 'sk-ant-(?:oat|ort|sid)\\d\\d-[A-Za-z0-9_-]{80,120}',
    check: isVaried,
  },
  'openai-api-key': {
    // Their middle is the base64 of "OpenAI".
    pattern: 'sk-[A-Za-z0-9_-]{15,}T3BlbkFJ[A-Za-z0-9_-]{20,}',
    check: isVaried,
    evidence: 'marker',
  },
  'openrouter-api-key': { pattern: 'sk-or-v1-[0-9a-f]{64}', check: isVaried },
  'deepseek-api-key': { pattern: 'sk-[0-9a-f]{32}', check: looksRandom },
  'langfuse-secret-key': { pattern: `sk-lf-${UUID}` },
  'groq-api-key': { pattern: 'gsk_[A-Za-z0-9]{52}', check: looksRandom },
  'perplexity-api-key': { pattern: 'pplx-[A-Za-z0-9]{48}', check: looksRandom },
  'xai-api-key': { pattern: 'xai-[A-Za-z0-9]{80}', check: isVaried },
  'huggingface-token': {
    pattern: 'hf_[A-Za-z0-9]{34,37}',
    check: (found) => isVaried(found) && /[A-Z]/.test(found) && /[a-z]/.test(found.slice(3)),
    evidence: 'mixed-case',
  },
  'huggingface-organization-token': { pattern: 'api_org_[A-Za-z]{34}', check: isVaried },
  'replicate-token': { pattern: 'r8_[A-Za-z0-9]{37}', check: isVaried },
  'mistral-api-key': {
    prefix: settingOf('mistral'),
    pattern: '[A-Za-z0-9]{32}',
    ignoreCase: true,
    check: looksRandom,
    evidence: 'entropy',
  },
  'cohere-api-key': {
    prefix: settingOf('cohere|co_api'),
    pattern: '[A-Za-z0-9]{40}',
    ignoreCase: true,
    check: looksRandom,
    evidence: 'entropy',
  },
  'together-api-key': { pattern: 'tgp_v1_[A-Za-z0-9_-]{43}', check: looksRandom },
  'fireworks-api-key': { pattern: 'fw_[A-Za-z0-9]{22,24}', check: looksRandom },
  'nvidia-api-key': { pattern: 'nvapi-[A-Za-z0-9_-]{64}', check: isVaried },
  'cerebras-api-key': { pattern: 'csk-[a-z0-9]{48}', check: isVaried },
  'voyage-api-key': { pattern: 'pa-[A-Za-z0-9_-]{43}', check: looksRandom },
  'pinecone-api-key': { pattern: 'pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,80}', check: isVaried },
  'jina-api-key': { pattern: 'jina_[0-9a-f]{32}[A-Za-z0-9_-]{28}', check: isVaried },
  'elevenlabs-api-key': { pattern: 'sk_[0-9a-f]{48}', check: isVaried },
  'langsmith-api-key': { pattern: 'lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}', check: isVaried },
  'tavily-api-key': { pattern: 'tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}', check: looksRandom },
  'firecrawl-api-key': { pattern: 'fc-[0-9a-f]{32}', check: isVaried },
  'litellm-key': { pattern: 'sk-[A-Za-z0-9_-]{22}', check: looksRandom, score: 0.6 },
} as const satisfies Record<string, Rule>
