import type { Rule } from '../core/rule.ts'
import { DROP, FILLER, FORMER, INSTRUCTIONS, SET_ASIDE } from './injection-words.ts'

const folded = { view: 'folded' } as const

const OWN =
  '(?:instructions?|rules?|prompts?|directives?|guidelines?|programming|training|restrictions?|constraints?|policies|safety (?:rules|guidelines|filters?|measures|protocols?)|safeguards?|guardrails?|system prompt|system message|content (?:policy|filters?)|ethical guidelines|limitations|assignment|configuration)'

/** Phrases that replace what a model was told by what the text says. */
export const overrideRules = {
  'override-instructions': {
    ...folded,
    pattern: `${SET_ASIDE} ${FILLER}${FORMER} (?:and [a-z]{3,12} |or [a-z]{3,12} |[a-z]{3,12} )?${INSTRUCTIONS}`,
    score: 0.95,
  },
  'override-given-instructions': {
    ...folded,
    pattern: `${SET_ASIDE} ${FILLER}(?:instructions?|rules|prompts?|directives?|guidelines|restrictions|orders) (?:that |which )?(?:you (?:were|have been|had been|ve been) (?:given|told|provided|programmed)|you received|(?:(?:given|stated|written|listed) )?(?:above|before this|previously given|so far))`,
    score: 0.9,
  },
  'drop-instructions': {
    ...folded,
    pattern: `${DROP} ${FILLER}${FORMER} (?:[a-z]{3,12} )?(?:instructions|instruction sets?|rules|prompts?|directives|guidelines|constraints|programming|restrictions|polic(?:y|ies)|safeguards?|guardrails|limitations|context|assignment)`,
    score: 0.85,
  },
  'override-own-instructions': {
    ...folded,
    pattern: `${SET_ASIDE} (?:(?:all|any|every|each|one|of|these|those|completely|whatever) ){0,}(?:your|the model s|the assistant s|openai s|anthropic s) (?:[a-z]{2,12} ){0,2}${OWN}`,
    score: 0.9,
  },
  'override-everything-said': {
    ...folded,
    pattern: `${SET_ASIDE} (?:(?:all|about|of|absolutely) ){0,}(?:(?:everything|anything|all|whatever|all that|the things) (?:that )?(?:(?:i|you|we|they|he|she|your|the|my|previous|system|boss|creators?|developers?|operator|owner|message) ){1,}|what (?:(?:you|we|they|your|the|previous|system|boss|creators?|developers?|operator|owner|message) ){1,})(?:(?:ve|have|has|had|were|was|been|just|already|previously|ever) ){0,}(?:said|told|instructed|learned|learnt|wrote|written|given|taught|know|knew|read)`,
    score: 0.85,
  },
  'override-everything-before': {
    ...folded,
    pattern: `${SET_ASIDE} (?:(?:all|absolutely|of|the) ){0,}(?:everything|anything|all|text|stuff|words) (?:that )?(?:(?:is|was|came|comes|written|said|stated|you were told) ){0,}(?:above|before|prior to|previously|until now|up to now|so far)`,
    score: 0.85,
  },
  'instructions-voided': {
    ...folded,
    pattern: `(?:your|all|any|the|these|those|previous|prior|earlier|former|initial|original|old|preceding|above|existing|current) (?:[a-z]{2,12} ){0,2}(?:instructions?|rules|directives?|guidelines|prompts?|orders|restrictions|constraints|policies|task|assignment|programming|safeguards|context) (?:(?:are|is|were|was|have|has|been|now|hereby|all) ){1,}(?:cancell?ed|void|voided|revoked|replaced|deleted|removed|overridden|overruled|superseded|obsolete|lifted|disabled|erased|suspended|invalid|outdated|null|reversed|forgotten)`,
    score: 0.8,
  },
  'instructions-no-longer-apply': {
    ...folded,
    pattern: `(?:instructions?|rules|directives?|guidelines|prompts?|orders|restrictions|constraints|policies|task|assignment|programming|limitations) (?:(?:that|you|were|given|above|earlier|before) ){0,}(?:no longer appl(?:y|ies)|do(?:es)? not apply (?:any ?more|any longer|to you)|don t apply (?:any ?more|to you))`,
    score: 0.8,
  },
  'new-instructions': {
    ...folded,
    pattern: `(?:(?:here (?:are|is)|these are|this is|follow|obey|execute|important update to) (?:(?:your|the|my|these|only) ){1,}(?:new )?(?:instructions|directives|orders)|your new (?:instructions|task|role|objective|goal|directive|mission|rules|orders|purpose|job|identity|system prompt) (?:is|are|will be)|new (?:instructions|directives|system prompt|system instructions) (?:follow|begin|start))`,
    score: 0.6,
  },
  'new-instructions-heading': {
    pattern:
      '(?:## ?|\\*\\*|== ?|-- ?|\\[)new (?:instructions?|directives?|task|system prompt|rules)(?:\\]|:|\\*\\*|\\s?[-=]{3}|\\n)',
    ignoreCase: true,
    bounds: 'none',
    score: 0.8,
  },
  'instead-of-instructions': {
    ...folded,
    pattern: `instead of (?:(?:following|obeying|the|your|all|what|doing) ){1,}(?:(?:previous|prior|above|original|initial|system) )?(?:instructions|guidelines|rules|system prompt|directives|your task)`,
    score: 0.6,
  },
  'only-obey-me': {
    ...folded,
    pattern: `(?:from now on|starting now|henceforth|from this point(?: on| forward)?) (?:you )?(?:(?:must|will|shall|should|are to|can|only) ){1,}(?:obey|follow|listen to|answer to|take (?:orders|instructions) from|respond (?:only )?as|act as|ignore|not follow|bypass|disregard)`,
    score: 0.6,
  },
  'no-longer-the-assistant': {
    ...folded,
    pattern: `you are (?:(?:now|no longer|not|also|henceforth) ){1,}(?:(?:a|an|the|just|only|any|more) ){0,}(?:bound by|restricted by|limited by|constrained by|subject to|an? ai|chatgpt|gpt(?: ?\\d)?|claude|gemini|an? assistant|support bot|language model|moderated|in a simulation|free from|freed from|unrestricted|unfiltered|uncensored|jailbroken|dan|in developer mode|in debug mode|root)`,
    score: 0.7,
  },
  'stop-everything': {
    ...folded,
    pattern: `(?:stop everything|never ?mind|scratch that|forget it|ignore this|change of plans?) (?:(?:now|and|please|just|instead|stop) ){1,}(?:print|say|output|write|respond with|reply with|repeat|answer)`,
    score: 0.7,
  },
} as const satisfies Record<string, Rule>
