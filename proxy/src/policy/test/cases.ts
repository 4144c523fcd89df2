import type { Caller } from '../../core/caller.ts'
import type { FindingFacts, LimitsInput, PolicyInput, RequestFacts } from '../../core/policy.ts'

/** What every engine must answer with the default policies: the whole answer for a denial, the named parts for an allow. */
export interface DecisionCase {
  readonly title: string
  readonly input: PolicyInput
  readonly answer:
    | { readonly allow: false; readonly reasons: readonly string[] }
    | {
        readonly allow: true
        readonly reasons: readonly string[]
        readonly rules?: Readonly<Record<string, string>>
        readonly categories?: Readonly<Record<string, string>>
        readonly max_tokens?: number
      }
}

export interface LimitsCase {
  readonly title: string
  readonly input: LimitsInput
  readonly answer: unknown
}

const caller = (...roles: readonly string[]): Caller => ({
  subject: 'ann',
  tenant: 'acme',
  roles,
  scopes: ['chat'],
  via: 'jwt:corp',
})

const request = (facts: Partial<RequestFacts> = {}): RequestFacts => ({
  route: 'openai.chat',
  model: 'small',
  stream: false,
  tools: [],
  params: {},
  extras: [],
  ...facts,
})

export const asked = (changes: Partial<PolicyInput> = {}): PolicyInput => ({
  stage: 'request',
  caller: caller('user'),
  request: request(),
  findings: [],
  ...changes,
})

const finding = (
  rule: string,
  category: FindingFacts['category'],
  facts: Partial<FindingFacts> = {},
): FindingFacts => ({ rule, category, role: 'user', channel: 'message', score: 1, count: 1, ...facts })

const toolCall = (role: string, name: string, tools: readonly string[]): PolicyInput =>
  asked({
    stage: 'tool_call',
    caller: caller(role),
    request: request({ tools }),
    tool: { name, arguments: ['path'] },
  })

const denied = (...reasons: readonly string[]) => ({ allow: false, reasons }) as const

export const decisionCases: readonly DecisionCase[] = [
  {
    title: 'a user may chat',
    input: asked(),
    answer: {
      allow: true,
      reasons: [],
      max_tokens: 4096,
      categories: { secret: 'redact', injection: 'block' },
    },
  },
  {
    title: 'a caller without a role may nothing',
    input: asked({ caller: caller() }),
    answer: denied('model_not_allowed', 'role_missing', 'route_not_allowed'),
  },
  {
    title: 'an unknown role is no role',
    input: asked({ caller: caller('root', '*') }),
    answer: denied('model_not_allowed', 'role_missing', 'route_not_allowed'),
  },
  {
    title: 'a user may not embed',
    input: asked({ request: request({ route: 'openai.embeddings' }) }),
    answer: denied('model_not_allowed', 'route_not_allowed'),
  },
  {
    title: 'a service may embed',
    input: asked({ caller: caller('service'), request: request({ route: 'openai.embeddings' }) }),
    answer: { allow: true, reasons: [], max_tokens: 8192 },
  },
  {
    title: 'the most generous role counts',
    input: asked({ caller: caller('user', 'developer'), request: request({ params: { n: 4 } }) }),
    answer: { allow: true, reasons: [], max_tokens: 16384 },
  },
  {
    title: 'parameters over the cap are named',
    input: asked({
      request: request({ params: { n: 2, stop: 5, top_logprobs: 1, logit_bias: 1, max_tokens: 9 } }),
    }),
    answer: denied('logit_bias_over_cap', 'n_over_cap', 'stop_over_cap', 'top_logprobs_over_cap'),
  },
  {
    title: 'max_tokens over the cap is lowered, not denied',
    input: asked({ request: request({ params: { max_tokens: 1e9 } }) }),
    answer: { allow: true, reasons: [], max_tokens: 4096 },
  },
  {
    title: 'an extra needs a role that lists it',
    input: asked({ request: request({ extras: ['min_p'] }) }),
    answer: denied('extra_not_allowed'),
  },
  {
    title: 'a user may offer tools that read',
    input: asked({ request: request({ tools: ['get_weather', 'search_docs'] }) }),
    answer: { allow: true, reasons: [] },
  },
  {
    title: 'a user may not offer a shell',
    input: asked({ request: request({ tools: ['get_weather', 'run_shell'] }) }),
    answer: denied('tool_not_allowed'),
  },
  {
    title: 'the model may call a tool that was offered',
    input: toolCall('user', 'read_file', ['read_file']),
    answer: { allow: true, reasons: [] },
  },
  {
    title: 'the model may not call a tool that was not offered',
    input: toolCall('developer', 'delete_file', ['read_file']),
    answer: denied('tool_not_offered'),
  },
  {
    title: 'the model may not call a tool of another role',
    input: toolCall('user', 'run_shell', ['read_file']),
    answer: denied('tool_not_allowed', 'tool_not_offered'),
  },
  {
    title: 'a tool call without a tool is denied',
    input: asked({ stage: 'tool_call' }),
    answer: denied('tool_not_allowed', 'tool_not_offered'),
  },
  {
    title: 'a secret in a tool result is redacted',
    input: asked({
      findings: [finding('aws-access-key', 'secret', { role: 'tool', channel: 'tool_result' })],
    }),
    answer: { allow: true, reasons: ['secret_redacted'], rules: { 'aws-access-key': 'redact' } },
  },
  {
    title: 'a card number is redacted and an e-mail address is observed',
    input: asked({ findings: [finding('payment-card', 'personal_data'), finding('email', 'personal_data')] }),
    answer: {
      allow: true,
      reasons: ['personal_data_redacted'],
      rules: { 'payment-card': 'redact', email: 'observe' },
    },
  },
  {
    title: 'injection is blocked from its threshold',
    input: asked({ findings: [finding('override-instructions', 'injection', { score: 0.8 })] }),
    answer: { allow: true, reasons: ['injection_blocked'], rules: { 'override-instructions': 'block' } },
  },
  {
    title: 'injection below the threshold is observed',
    input: asked({ findings: [finding('override-instructions', 'injection', { score: 0.79 })] }),
    answer: { allow: true, reasons: [], rules: { 'override-instructions': 'observe' } },
  },
  {
    title: 'several findings of a rule get the strictest action',
    input: asked({
      findings: [
        finding('override-instructions', 'injection', { score: 0.5 }),
        finding('override-instructions', 'injection', { score: 0.9, role: 'tool', channel: 'tool_result' }),
      ],
    }),
    answer: { allow: true, reasons: ['injection_blocked'], rules: { 'override-instructions': 'block' } },
  },
  {
    title: 'smuggled tag characters are blocked, other invisible characters are observed',
    input: asked({
      findings: [finding('tag-characters', 'invisible_text'), finding('bidi-override', 'invisible_text')],
    }),
    answer: {
      allow: true,
      reasons: ['invisible_text_blocked'],
      rules: { 'tag-characters': 'block', 'bidi-override': 'observe' },
    },
  },
  {
    title: 'what is done in an answer is known before it streams',
    input: asked({ stage: 'response', request: request({ stream: true }) }),
    answer: {
      allow: true,
      reasons: [],
      rules: {
        'payment-card': 'redact',
        iban: 'redact',
        'us-ssn': 'redact',
        'tag-characters': 'redact',
        'repeated-text': 'block',
      },
      categories: {
        secret: 'redact',
        personal_data: 'observe',
        injection: 'observe',
        invisible_text: 'observe',
        active_content: 'redact',
        repetition: 'observe',
      },
    },
  },
  {
    title: 'a user sees a model in the list',
    input: asked({ stage: 'model', request: request({ route: 'openai.models' }) }),
    answer: { allow: true, reasons: [] },
  },
  {
    title: 'an unknown stage is denied',
    input: asked({ stage: 'batch' as 'request' }),
    answer: denied('stage_unknown'),
  },
  {
    title: 'an input without findings is denied',
    input: { ...asked(), findings: null } as unknown as PolicyInput,
    answer: denied('input_malformed'),
  },
  {
    title: 'names are compared as they are written',
    input: asked({ request: request({ tools: ['Get_weather', 'get\u0000_x', 'gét_weather', ''] }) }),
    answer: denied('tool_not_allowed'),
  },
  {
    title: 'half a surrogate pair is denied',
    input: asked({ request: request({ tools: ['get_\ud800'] }) }),
    answer: denied('input_malformed'),
  },
  {
    title: 'an input above 16384 characters is denied',
    input: asked({ request: request({ tools: Array.from({ length: 4000 }, (_, index) => `get_${index}`) }) }),
    answer: denied('input_too_large'),
  },
]

const tenant = { requests_per_second: 500, burst: 1000, concurrency: 512, tokens_per_minute: 10_000_000 }

export const limitsCases: readonly LimitsCase[] = [
  {
    title: 'a user has the limits of its role',
    input: { caller: caller('user'), model: 'small' },
    answer: {
      caller: { requests_per_second: 5, burst: 20, concurrency: 8, tokens_per_minute: 60_000 },
      tenant,
      model: {},
    },
  },
  {
    title: 'what one role leaves unlimited is unlimited',
    input: { caller: caller('user', 'admin'), model: 'small' },
    answer: { caller: { requests_per_second: 50, burst: 100, concurrency: 64 }, tenant, model: {} },
  },
  {
    title: 'a caller without a known role has the least',
    input: { caller: caller('stranger'), model: '\ud800' },
    answer: {
      caller: { requests_per_second: 1, burst: 5, concurrency: 1 },
      tenant,
      model: {},
    },
  },
]
