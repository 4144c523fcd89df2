import { expect, test } from '@jest/globals'
import { compileScanner } from '../text/scanner.ts'
import { chars, rows, rulesIn, type Samples } from './samples.ts'
import { modelSecretRules } from './secrets-models.ts'

const { alnum, hex, letters, lower, uuid } = chars
const scanner = compileScanner({ name: 'models', tables: [{ category: 'secret', rules: modelSecretRules }] })

const MARK = ['T3Blbk', 'FJ'].join('')

const samples: Record<keyof typeof modelSecretRules, Samples> = {
  'anthropic-api-key': {
    hits: [`sk-ant-api03-${alnum(93)}AA`],
    misses: [`sk-ant-api03-${alnum(93)}BB`, `sk-ant-api03-${'x'.repeat(93)}AA`],
  },
  'anthropic-admin-key': { hits: [`sk-ant-admin01-${alnum(93)}AA`], misses: [`sk-ant-admin01-${alnum(40)}`] },
  'anthropic-session-token': { hits: [`sk-ant-oat01-${alnum(93)}AA`], misses: [`sk-ant-oat01-${alnum(20)}`] },
  'openai-api-key': {
    hits: [
      `sk-${alnum(20)}${MARK}${alnum(20)}`,
      `sk-proj-${alnum(74)}${MARK}${alnum(74)}`,
      `sk-svcacct-${alnum(58)}${MARK}${alnum(58)}`,
    ],
    misses: [`sk-${alnum(48)}`, `sk-${alnum(10)}${MARK}${alnum(10)}`],
  },
  'openrouter-api-key': { hits: [`sk-or-v1-${hex(64)}`], misses: [`sk-or-v1-${hex(40)}`] },
  'deepseek-api-key': { hits: [`sk-${hex(32)}`], misses: [`sk-${hex(31)}`, `sk-${'0'.repeat(32)}`] },
  'langfuse-secret-key': { hits: [`sk-lf-${uuid()}`], misses: [`pk-lf-${uuid()}`] },
  'groq-api-key': { hits: [`gsk_${alnum(52)}`], misses: [`gsk_${alnum(40)}`] },
  'perplexity-api-key': { hits: [`pplx-${alnum(48)}`], misses: [`pplx-${'x'.repeat(48)}`] },
  'xai-api-key': { hits: [`xai-${alnum(80)}`], misses: [`xai-${alnum(40)}`] },
  'huggingface-token': {
    hits: [`hf_${letters(34)}`],
    misses: [
      'hf_3478658437658347638475687346587374',
      `hf_${'x'.repeat(34)}`,
      'hf_requiredCharacteristicTypes',
    ],
  },
  'huggingface-organization-token': {
    hits: [`api_org_${letters(34)}`],
    misses: ['api_org_inclusion_with_href'],
  },
  'replicate-token': { hits: [`r8_${alnum(37)}`], misses: [`r8_${alnum(30)}`] },
  'mistral-api-key': { hits: [`MISTRAL_API_KEY="${alnum(32)}"`], misses: [alnum(32)] },
  'cohere-api-key': { hits: [`COHERE_API_KEY=${alnum(40)}`], misses: [`CO_API_KEY=${'x'.repeat(40)}`] },
  'together-api-key': { hits: [`tgp_v1_${alnum(43)}`], misses: [`tgp_v1_${alnum(33)}xxxxxxxxxx`] },
  'fireworks-api-key': { hits: [`fw_${alnum(24)}`], misses: ['fw_rules_for_the_office_wall'] },
  'nvidia-api-key': { hits: [`nvapi-${alnum(64)}`], misses: [`nvapi-${alnum(20)}`] },
  'cerebras-api-key': { hits: [`csk-${lower(48)}`], misses: [`csk-${lower(20)}`] },
  'voyage-api-key': {
    hits: [`pa-${alnum(43)}`],
    misses: ['pa-system-for-the-large-conference-room-on-floor-2'],
  },
  'pinecone-api-key': { hits: [`pcsk_${alnum(6)}_${alnum(63)}`], misses: [`pcsk_${alnum(6)}`] },
  'jina-api-key': { hits: [`jina_${hex(32)}${alnum(28)}`], misses: [`jina_${hex(32)}`] },
  'elevenlabs-api-key': { hits: [`sk_${hex(48)}`], misses: [`sk_${hex(40)}`] },
  'langsmith-api-key': { hits: [`lsv2_pt_${hex(32)}_${hex(10)}`], misses: [`lsv2_pt_${hex(32)}`] },
  'tavily-api-key': {
    hits: [`tvly-${alnum(32)}`, `tvly-dev-${alnum(32)}`],
    misses: [`tvly-${'x'.repeat(32)}`],
  },
  'firecrawl-api-key': { hits: [`fc-${hex(32)}`], misses: [`fc-${hex(30)}`] },
  'litellm-key': { hits: [`sk-${alnum(22)}`], misses: ['sk-1234', 'sk-learn-is-not-a-key-at'] },
}

test.each(rows(samples))('%s is found where it stands and only there', (rule, { hits, misses }) => {
  for (const hit of hits) expect(rulesIn(scanner, `see ${hit} here`)).toContain(rule)
  for (const miss of misses) expect(rulesIn(scanner, `see ${miss} here`)).not.toContain(rule)
})
