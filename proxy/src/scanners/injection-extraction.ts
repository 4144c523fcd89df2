import type { Rule } from '../core/rule.ts'
import { FILLER } from './injection-words.ts'

const folded = { view: 'folded' } as const

const SHOW =
  '(?:show|print|reveal|repeat|output|display|tell|give|share|dump|recite|leak|expose|disclose|divulge|write(?: down| out)?|spell out|quote|copy|list|echo|summari[sz]e|paraphrase|translate|rewrite|encode|decode|provide|return|send|reproduce|regurgitate|describe|explain|log|type|paste|read|extract|export|transcribe|say|state|enter|append|include|render)'

const HIDDEN =
  '(?:(?:initial|hidden|original|secret|internal|pre|first|base|core|confidential|underlying|private|starting|custom|actual|exact|current|full|entire|complete|whole) ){0,}'

/** Requests for the text that configures a model. */
export const extractionRules = {
  'reveal-system-prompt': {
    ...folded,
    pattern: `${SHOW} ${FILLER}${HIDDEN}(?:system|developer|hidden|initial|secret|internal|original|confidential|pre|base|starting|sys)(?: level)? ?(?:prompts?|instructions?|messages?|directives?|guidelines?)`,
    score: 0.8,
  },
  'reveal-own-prompt': {
    ...folded,
    pattern: `${SHOW} ${FILLER}(?:your|ur|its|chatgpt s|the assistant s|the model s) ${HIDDEN}(?:prompts?|instructions?|instruction set|directives?|guidelines|configuration|rules|programming|preamble|context window|knowledge files|tool definitions|system message)`,
    score: 0.8,
  },
  'reveal-given-instructions': {
    ...folded,
    pattern: `${SHOW} ${FILLER}(?:instructions?|prompt|rules|guidelines|directives|tool definitions|tools|functions|knowledge files|files|documents|messages?|text|words|context) (?:that |which )?(?:you (?:were|have been|are|ve been|had been) (?:given|told|provided|fed|initiali[sz]ed|configured|programmed|instructed)|you (?:received|must follow|have to follow|were following|are following)|(?:given|provided) to you (?:above|before|at the)|before (?:my|this|our) (?:first|message|conversation)|starting with you are)`,
    score: 0.8,
  },
  'repeat-text-above': {
    ...folded,
    pattern: `(?:repeat|print|output|recite|echo|copy|reproduce|display|show|reveal|dump|give|write|quote|share|spell out|encode|tell|translate|rewrite) (?:(?:me|us|back|out|all|of|the|in|base64|as|a|poem|into|[a-z]{3,10}) ){0,5}(?:everything|text|words|content|contents|instructions|messages|lines?) (?:that (?:is|are|was|were|came) )?(?:above (?:this (?:message|line|point|sentence|conversation|prompt)|starting with|your|my)|(?:previously )?before (?:this (?:message|line|conversation|point)|my first|our conversation)|in your (?:context|prompt|memory|instructions|system)|of (?:your|this) (?:memory|context|prompt|conversation|instructions|system))`,
    score: 0.8,
  },
  'previous-messages-with-system': {
    ...folded,
    pattern: `(?:previous|all|prior|earlier) messages (?:(?:in|of|from|this|our|the|conversation|chat) ){0,}including (?:the )?(?:system|developer|hidden)`,
    score: 0.8,
  },
  'ask-system-prompt': {
    ...folded,
    pattern: `what(?: is| are| was| were| s| re) (?:(?:the|all|of|exactly|in) ){0,}your (?:${HIDDEN}(?:system |developer )?(?:prompt|instructions|system message|directives)|(?:hidden|secret|internal|initial|original|confidential|system) (?:rules|guidelines|configuration))`,
    score: 0.7,
  },
  'ask-what-told': {
    ...folded,
    pattern: `what (?:(?:exactly|instructions|rules|else|did|have) ){0,}(?:were you (?:told|instructed|given|programmed)|you (?:were|been) (?:told|instructed|given) (?:before|not to|to do)|(?:your|the) (?:developers?|creators?|operators?) (?:told|instructed|tell) you)`,
    score: 0.6,
  },
  'complete-own-prompt': {
    ...folded,
    pattern: `(?:complete|finish|continue) (?:this|the following|the) (?:sentence|phrase|text|line) (?:(?:i was|i am|my|you are) (?:instructed|told|given|programmed|system|instructions))`,
    score: 0.8,
  },
  'log-system-prompt': {
    ...folded,
    pattern: `(?:console log|print|echo|cat|printf|puts|return|eval|alert|select|fmt println) (?:(?:your|the|my|from|context|config|self|this|process|env) ){0,}(?:systemprompt|system prompt|initial prompt|system message|sysprompt)`,
    score: 0.8,
  },
  'reveal-protected-secret': {
    ...folded,
    pattern: `${SHOW} ${FILLER}(?:secret|password|passphrase|passcode|api key|code word|confidential (?:notes|guidelines|information|data)|hidden (?:text|context)) (?:(?:that|which|you|in|your|the|are|is|have|been|were|told) ){1,}(?:protecting|guarding|hiding|given|prompt|keep|keeping|not to (?:reveal|share|tell)|instructions|context|system)`,
    score: 0.8,
  },
  'reveal-context': {
    ...folded,
    pattern: `${SHOW} (?:(?:all|of|the|me|everything|full|entire|complete|contents?|in|that is|what is) ){1,}your (?:context(?: window)?|memory|configuration|pre ?prompt|training data|knowledge base)`,
    score: 0.8,
  },
  'first-line-of-conversation': {
    ...folded,
    pattern: `(?:very first|first) (?:line|message|words|sentence|paragraph|\\d{1,3} (?:words|lines|sentences|tokens)) of (?:this|our|the|your) (?:conversation|chat|prompt|context|system prompt|instructions)`,
    score: 0.8,
  },
} as const satisfies Record<string, Rule>
