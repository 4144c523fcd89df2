import type { Rule } from '../core/rule.ts'

const folded = { view: 'folded' } as const

const MACHINE =
  '(?:ai|a i|llm|language model|large language model|assistant|chat ?bot|bot|gpt|chatgpt|model|version of (?:chatgpt|yourself|gpt)|virtual machine|persona|character|entity|mode)'
const LIMITS =
  '(?:restrictions?|limitations?|limits|filters?|filtering|guidelines|rules|censorship|constraints?|boundaries|morals?|ethics|principles|safeguards?|guardrails|policies|moderation|warnings|disclaimers|safety (?:measures|filters|guidelines))'
const NORMS = '(?:moral|ethical|legal|ethics|morality|legality|openai|content|safety|usage|social)'

/** Role play and pressure that talk a model out of its rules. */
export const jailbreakRules = {
  'do-anything-now': {
    ...folded,
    pattern:
      '(?:do anything now|dan mode|dan (?:prompt|jailbreak|version|\\d{1,2} \\d)|(?:act as|become|pretend to be|you are(?: now)?|stay) (?:a )?dan (?:and|which|who|stands|mode|do|with|from|an|the|not))',
    score: 0.9,
  },
  'named-jailbreak': {
    ...folded,
    pattern:
      '(?:always intelligent and machiavellian|strive to avoid norms|evil confidant|antigpt|anti gpt|jailbreak (?:mode|enabled|prompt|successful|activated)|jailbroken (?:mode|ai|chatgpt|model|version)|developer mode (?:output|response|v2|policy)|(?:chatgpt|gpt|claude|ai) (?:with|in) (?:developer|dan|god|dev) mode|opposite mode|freegpt|betterdan|mongo tom|maximum mode|grandma (?:used to|who used|exploit)|god mode (?:enabled|activated)|universal (?:jailbreak|bypass)|ucar|amoral chatbot|basedgpt|based gpt|l1b3rt4s|godmode)',
    score: 0.8,
  },
  'unrestricted-model': {
    ...folded,
    pattern: `(?:unfiltered|uncensored|unrestricted|amoral|unethical|jailbroken|unaligned|unmoderated|unbound|rogue|lawless) (?:(?:and|yet|but) [a-z]{3,14} |[a-z]{3,14} )?${MACHINE}`,
    score: 0.8,
  },
  'model-without-limits': {
    ...folded,
    pattern: `${MACHINE} (?:(?:that|which|who|is|are|has|have|with|called|named|and|will|can|you|should|must|does|do|answers|responds|acts|operates|completely|fully|named|[a-z]{2,10}) ){0,5}(?:without|with no|no|free of|free from|not (?:bound|restricted|limited|constrained|restrained) by|unbound by|has no|have no|lacks|not have|unrestricted by|devoid of|ignores?|outside of) (?:(?:any|all|its|their|the|a|usual|typical|such|openai s|these|form of|sort of|kind of) ){0,}(?:${NORMS} (?:(?:and|or) [a-z]{3,12} )?)?${LIMITS}`,
    score: 0.8,
  },
  'answer-without-limits': {
    ...folded,
    pattern: `(?:answer|respond|reply|act|behave|speak|write|talk|operate|function|generate|comply|pretend|imagine|roleplay|simulate) (?:(?:to|all|any|every|my|the|questions?|requests?|prompts?|me|as|if|you|had|have|freely|openly|anything|everything|and|that|are|were|this|content|[a-z]{2,8}) ){0,6}(?:without|with no|no|free of|free from|ignoring|bypassing|regardless of|not bound by|disregarding) (?:(?:any|all|its|your|the|a|usual|typical|openai s|these|regard for) ){0,}(?:${NORMS} (?:(?:and|or) [a-z]{3,12} )?)?${LIMITS}`,
    score: 0.8,
  },
  'without-limits': {
    ...folded,
    pattern: `(?:without|with no|no|free of|free from|not (?:bound|restrained|restricted|limited) by|bypass(?:es|ing)?|regardless of|devoid of|no regard for) (?:(?:any|all|its|your|the|a|usual|typical|such) ){0,}${NORMS} (?:(?:and|or) [a-z]{3,12} )?(?:concerns?|considerations?|implications?|consequences|standards?|obligations?|${LIMITS})`,
    score: 0.6,
  },
  'guidelines-deleted': {
    ...folded,
    pattern: `(?:whose|its|your|all|the|every|any|these) (?:[a-z]{2,10} )?${LIMITS} (?:(?:have|has|had|you|are|were|was|is|been|all|now) ){1,}(?:deleted|removed|disabled|lifted|turned off|switched off|reversed|bypassed|suspended|gone|off)`,
    score: 0.7,
  },
  'no-refusal': {
    ...folded,
    pattern:
      '(?:you|it|he|she|they|dan|who|which|and|must|will|should|ai|to) (?:(?:can|could|will|must|may|shall|should|would|are|is) )?(?:never|not|cannot|can t|won t|don t|do not|does not|doesn t) (?:ever )?(?:refuse|reject|decline|deny|say no to|turn down)(?: to)? (?:(?:a|any|an|my|the|answer|answering|to|human|user|users|direct|anything|no|what|matter|order|comply|fulfill|do|s) ){0,}(?:requests?|questions?|orders?|prompts?|answer|anything|task|asks?|commands?|instructions?|no matter)',
    score: 0.8,
  },
  'no-apology': {
    ...folded,
    pattern:
      '(?:never|do not|don t|must not|cannot|can t|without) (?:ever )?(?:say(?:ing)?|use|write|respond with|reply with|apologi[sz]e|include|includ(?:e|ing)|mention|start with|utter) (?:(?:any|the|things|words?|phrases?|sentences?|like|that|or|a|an|phrase) ){0,}(?:i m sorry|sorry|i can t|i cannot|i am unable|as an ai|cannot|unable|unfortunately|you can t|it s (?:illegal|unethical)|i apologi[sz]e|ethical (?:disclaimers?|warnings?))',
    score: 0.7,
  },
  'ignore-morals': {
    ...folded,
    pattern:
      '(?:no matter how|regardless of (?:how|whether|if)|even if (?:it|they|that|the|this)(?: is| are| s)?)(?: it is| they are)? (?:(?:dangerous|reckless|inhumane|extreme|unethical|illegal|immoral|harmful|offensive|inappropriate|or|and|it|is|are|may|be|they|legal|ethical|moral|evil|considered|morally|wrong) ){1,}',
    score: 0.5,
  },
  'enter-mode': {
    ...folded,
    pattern:
      '(?:enter|enable|activate|switch (?:in)?to|turn on|engage|unlock|initiate|start) (?:(?:your|the|into|an?) ){0,}(?:developer|debug|god|dan|jailbreak|unrestricted|admin|maintenance|sudo|root|unfiltered|uncensored|evil|opposite|override|test|dev) mode',
    score: 0.5,
  },
  'mode-activated': {
    ...folded,
    pattern:
      '(?:developer|debug|god|dan|jailbreak|unrestricted|admin|maintenance|sudo|unfiltered|uncensored|test|override|dev) mode (?:(?:is|now|has|been|have) ){0,}(?:enabled|activated|unlocked|engaged|on|active)',
    score: 0.6,
  },
  'token-penalty': {
    ...folded,
    pattern:
      '(?:you (?:have|start with|currently have|begin with) \\d{1,4} (?:tokens|points|credits)|(?:lose|deduct(?:ed)?|subtract|take away|minus|cost you) (?:(?:you|of|your|a|from) ){0,}\\d{1,4} (?:of your )?(?:tokens|points|credits))',
    score: 0.5,
  },
  'two-voices': {
    ...folded,
    pattern:
      '(?:classic (?:[a-z]{1,12} )?jailbreak |(?:two|2) (?:(?:different|separate|distinct) )?(?:responses|answers|outputs|paragraphs|ways) (?:(?:one|for|to|each|every|first|as|prompt|question|the|of|my) ){1,}(?:normal|standard|as chatgpt|like chatgpt|classic|chatgpt|dan))',
    score: 0.8,
  },
  'stay-in-character': {
    ...folded,
    pattern:
      '(?:never|do not|don t|must not) (?:ever )?(?:break|leave|drop|go out of|step out of) (?:(?:the|of|your|this|out) ){0,}(?:character|role|persona|jailbreak)',
    score: 0.4,
  },
  'begin-with-consent': {
    ...folded,
    pattern:
      '(?:start|begin|starting|beginning|prefix|open) (?:(?:your|the|every|each|all|of|my|his|answers?|responses?|repl(?:y|ies)|messages?|output) ){1,4}(?:with|by saying) (?:(?:the|a|word|words|phrase|sentence|exactly|following|affirmative|string) ){0,}(?:sure|absolutely|of course|certainly|here is|here s|affirmative|yes here|hell yes|my dear)',
    score: 0.6,
  },
} as const satisfies Record<string, Rule>
