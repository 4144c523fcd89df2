/** Vocabulary of the injection rules, in the folded view: lower case, one blank between words, no punctuation. */

const some = (words: string): string => `(?:(?:${words}) ){0,}`

/** Words that may stand between a verb and its object without changing what is meant. */
export const FILLER = some(
  'all|any|every|each|one|both|of|the|these|those|this|that|your|you|my|our|its|their|whatever|everything|anything|and|or|about|completely|entirely|totally|please|just|now|to|with|from|other|such|old|s|single|me|us|fully|verbatim|exact|exactly|full|entire|complete|whole|out|back',
)

/** Verbs that set instructions aside. */
export const SET_ASIDE =
  '(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|forgot|overrid(?:e|ing)|overrule|bypass|discard|neglect|dismiss|overlook|abandon|erase|wipe|unlearn|scrap|nullify|void|revoke|suspend|throw away|cast aside|put aside|set aside|leave aside|pay no attention to|(?:do not|don t|dont|never|no longer) (?:obey|follow|heed|adhere to|comply with|respect|listen to|apply)|(?:stop|quit|cease) (?:obeying|following|heeding|adhering to|complying with|respecting|listening to|applying))'

/** What came first, or is in force. */
export const FORMER =
  '(?:previous|prior|above|preceding|earlier|past|former|foregoing|existing|initial|original|upstream|current|present|built in|default|hidden|system|system s|developer|developer s|old|safety|pre existing|preset)'

/** What a model is told to do, as its operators and attackers call it. One rule alone is a linter's. */
export const INSTRUCTIONS =
  '(?:instructions?|instruction sets?|rules|prompts?|directions?|directives?|guidelines?|guidance|commands?|orders?|constraints?|context|programming|restrictions?|polic(?:y|ies)|training|assignments?|tasks?|settings?|safeguards?|safety rules?|guardrails?|limitations?|text|messages?|conversations?|content|requests?|inputs?)'

/** Verbs that are said of much else, and are suspicious of instructions only. */
export const DROP = '(?:cancel|reset|drop|clear|skip|delete|remove)'
