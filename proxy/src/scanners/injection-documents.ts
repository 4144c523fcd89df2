import type { Rule } from '../core/rule.ts'

const folded = { view: 'folded' } as const
const markup = { bounds: 'none', ignoreCase: true } as const

const TOKENS = new Set(
  'im_start im_end im_sep system user assistant developer endoftext endofprompt start_header_id end_header_id eot_id eom_id begin_of_text end_of_text python_tag start end channel message call return constrain fim_prefix fim_middle fim_suffix start_of_role end_of_role start_of_turn_token end_of_turn_token system_token user_token chatbot_token turn think tool'.split(
    ' ',
  ),
)

/** Control tokens of chat templates, such as ChatML's and Llama 3's, also with the full-width bar. */
const isTemplateToken = (found: string): boolean =>
  TOKENS.has(/<[|\uFF5C]([A-Za-z_]{3,24})[|\uFF5C]>$/.exec(found)?.[1]?.toLowerCase() ?? '')

const READER =
  '(?:ai|llms?|ai assistants?|ai models?|ai agents?|ai systems?|ai language models?|language models?|large language models?|chat ?bots?|gpt(?: ?\\d)?|chatgpt|claude|gemini|copilot|automated (?:agents?|systems?|readers?|reviewers?)|virtual assistant)'

/** Text that a person writes into a document, a page or a tool's answer for the model that will read it. */
export const documentRules = {
  'addressed-to-model': {
    ...folded,
    pattern: `(?:dear|attention|attn|p s to|ps to|note (?:to|for)|notice (?:to|for)|message (?:to|for)|instructions? (?:to|for)|hint for|reminder for|request (?:to|for)|memo to|information for|reserved for|calling) (?:(?:all|any|an?|the|this|our|every|to|your) ){0,}${READER}`,
    score: 0.8,
  },
  'if-you-are-a-model': {
    ...folded,
    pattern: `(?:if|since|because|when|whenever) (?:you|this) (?:(?:are|re|is|happen|to|be|being|read|processed|summari[sz]ed|reviewed|by) ){1,4}(?:(?:a|an|the|any) )?${READER}`,
    score: 0.8,
  },
  'model-reading-this': {
    ...folded,
    pattern: `${READER} (?:(?:that|who|which|is|are|currently|will) ){0,}(?:reading|processing|summari[sz]ing|reviewing|parsing|analy[sz]ing|reads|process(?:es)?|evaluating|screening) (?:this|the (?:document|page|text|message|email|content|resume|cv|following))`,
    score: 0.8,
  },
  'instruction-label': {
    pattern:
      '(?:tool|assistant|agent|llm|system|hidden|admin|priority|model)[ _](?:instructions?|directives?|override|command|note|task)\\s{0,2}[:>]',
    ignoreCase: true,
    score: 0.7,
  },
  'hidden-comment-instruction': {
    ...markup,
    pattern: '<!-- ?(?:system|assistant|ai|llm|instructions?|prompt|note to|hidden|important)[a-z -]{0,24}:',
    score: 0.8,
  },
  'system-alert': {
    ...folded,
    pattern:
      '(?:system|security|admin|administrator|developer|root|emergency) (?:override|overwrite|bypass) (?:(?:code|command|protocol|mode|sequence|key|activated|initiated|engaged|accepted|authori[sz]ed|enabled|password) ?){1,3}',
    score: 0.6,
  },
  'message-from-creators': {
    ...folded,
    pattern:
      '(?:message|note|order|instruction|update|directive|command) from (?:your|the) (?:creators?|developers?|makers?|operators?|system administrators?|admin|openai|anthropic|owner)',
    score: 0.8,
  },
  'hide-from-user': {
    ...folded,
    pattern:
      '(?:do not|don t|never|without) (?:tell|telling|mention|mentioning|inform|informing|notify|notifying|reveal|revealing|alert|alerting|let|letting|show|showing|disclose|report) (?:(?:this|it|that|about|any|of|to|these|instructions?|message|anything|the) ){0,}(?:user|human|reader|person you)',
    score: 0.6,
  },
  'send-conversation': {
    ...folded,
    pattern:
      '(?:send|forward|email|post|upload|exfiltrate|transmit|leak|append|submit|deliver|copy) (?:(?:me|all|of|the|this|entire|whole|full|complete|our|my|your|user s|users|their|any|every|a|copy|summary|content|contents) ){0,}(?:conversation|chat(?: history| log| transcript)?|chat history|system prompt|api keys?|passwords?|credentials|secrets|access tokens?|session tokens?|cookies|private keys?|environment variables|env file|memory|user data|user information|personal data) (?:(?:history|log|so|far|content|and|of|the|this|all|from|above) ){0,}(?:to|as|via|at|into|in)',
    score: 0.7,
  },
  'markdown-image-exfiltration': {
    pattern: '!\\[[^\\]\\n]{0,}\\]\\(https?://[^\\s)?{<\\[]{1,}\\?[^\\s){<\\[]{0,}[{<\\[][^\\n)]{1,100}',
    bounds: 'none',
    ignoreCase: true,
    score: 0.85,
  },
  'image-with-data': {
    pattern: '!\\[[^\\]\\n]{0,}\\]\\(https?://[^\\s)?]{1,}\\?[^\\s)=]{1,32}=[A-Za-z0-9+/_%-]{80,}',
    bounds: 'none',
    score: 0.6,
  },
  'image-instruction': {
    ...folded,
    pattern:
      '(?:render|include|insert|embed|display|append|add|output|show) (?:(?:a|an|the|this|following|markdown|invisible|hidden|small|in|your|response|answer) ){1,}image (?:(?:with|from|at|whose|using|the|url|link|src|source|to|that) ){1,}(?:http|https|url|www|markdown|query|contains?|containing)',
    score: 0.7,
  },
} as const satisfies Record<string, Rule>

/** Tokens with which chat templates part one speaker from the next: they have no place inside a message. */
export const turnRules = {
  'template-token': {
    lead: { class: '[<|\uFF5CA-Za-z_]', min: 4, max: 32 },
    pattern: '[|\uFF5C]>',
    bounds: 'none',
    check: isTemplateToken,
    score: 0.8,
  },
  'instruction-token': {
    pattern: '\\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS)\\]',
    bounds: 'none',
    score: 0.8,
  },
  'system-token': { pattern: '<</?SYS>>', bounds: 'none', ignoreCase: true, score: 0.8 },
  'turn-token': { pattern: '<(?:start|end)_of_turn>', bounds: 'none', score: 0.8 },
  'system-tag': {
    pattern: '(?:</?system(?:_prompt|-prompt|_message|-reminder)?>|\\[/?system\\])',
    bounds: 'none',
    ignoreCase: true,
    score: 0.8,
  },
  'system-heading': {
    pattern: '## ?(?:system(?: (?:prompt|message|instructions?))?|instructions?|response|human|assistant):',
    bounds: 'none',
    ignoreCase: true,
    score: 0.7,
  },
  'speaker-label': {
    pattern: '\\n(?:system|assistant|human|developer): ',
    bounds: 'none',
    ignoreCase: true,
    score: 0.4,
  },
  'end-of-input-marker': {
    pattern:
      '(?:-- ?|== ?|\\[|\\*\\* ?)(?:END|BEGIN|START) OF (?:THE )?(?:USER |SYSTEM |UNTRUSTED |DEVELOPER |HIDDEN )?(?:INPUT|PROMPT|INSTRUCTIONS?|CONTEXT|CONVERSATION|QUERY|MESSAGE)',
    bounds: 'none',
    score: 0.6,
  },
} as const satisfies Record<string, Rule>
