import { defaultScanner } from '../../../../proxy/src/compose/scanner.ts'
import type { Finding } from '../finding.ts'
import { flatten, type Flat, type Prompt } from '../prompt.ts'
import type { RuleId } from '../rules.ts'

/** What the words of a prompt give away or lean on. */
export const checkPromptText = (prompt: Prompt): readonly Finding[] => {
  const flat = flatten(prompt)
  const scanned = scanText(flat)
  if (prompt.role === 'user' || prompt.role === 'assistant' || prompt.role === 'tool') return scanned
  const found = sentences(flat.text).flatMap((sentence) => judgeSentence(sentence, flat, scanned))
  return [...scanned, ...onePerRule(found), ...(prompt.role === 'system' ? checkScope(flat) : [])]
}

const PERSONAL = ['payment-card', 'iban', 'us-ssn', 'us-ssn-labelled', 'us-itin']

/** The guard's own rules: what it would take out of a request should not be in a prompt to begin with. */
export const scanText = ({ text, span: place }: Flat): readonly Finding[] =>
  defaultScanner()
    .scan(text)
    .flatMap(({ rule, category, score, start, end, evidence }): readonly Finding[] => {
      const span = place(start, end)
      if (category === 'secret' && score >= 0.5)
        return [{ rule: 'secret-in-prompt', message: `It looks like a credential (${rule}).`, ...span }]
      if (category === 'personal_data' && score >= 0.8 && PERSONAL.includes(rule))
        return [
          {
            rule: 'personal-data-in-prompt',
            message: `It looks like personal data (${rule}).`,
            ...span,
          },
        ]
      if (category === 'invisible_text' && !evidence.includes('single'))
        return [{ rule: 'hidden-text', message: `Characters that do not show (${rule}).`, ...span }]
      return []
    })

interface Sentence {
  readonly text: string
  readonly start: number
}

const MOST_SENTENCES = 2000
const LONGEST_SENTENCE = 400

/** Cut at full stops, lines and after 400 characters, so that the patterns below see bounded text. */
const sentences = (text: string): readonly Sentence[] => {
  const found: Sentence[] = []
  let from = 0
  for (let at = 0; at <= text.length && found.length < MOST_SENTENCES; at++) {
    const char = text.charAt(at)
    const ends =
      at === text.length || char === '\n' || ('.!?'.includes(char) && ' \n'.includes(text.charAt(at + 1)))
    if (!ends && at - from < LONGEST_SENTENCE) continue
    const sentence = text.slice(from, at)
    if (sentence.trim().length > 8) found.push({ text: sentence.toLowerCase(), start: from })
    from = at + 1
  }
  return found
}

const PASSWORD =
  /\b(?:password|passcode|passphrase|pin code|secret (?:word|code|key|phrase)|api[ _-]?key|access token)\b[^.,;\n:=${<]{0,20}?(?:\bis\b|=|:)\s{0,3}["'`]?([^\s"'`,;\uFFFC<>{}()[\]$]{4,80})/
const NOT_A_PASSWORD =
  /^(?:required|missing|invalid|incorrect|wrong|needed|set|not|the|your|you|a|an|stored|provided|optional|valid|correct|never|always|none|null|str|string|this|that|used|already|too|in|from|x{3,}|\*+|\.{2,}|here|when|if|true|false|yes|no|user|process\.env|os\.|env|undefined|empty|unknown|only|must|secret|expired|being|also|one|very|either|so|to|for|more|less)\b/
const PATTERNS: readonly { readonly rule: RuleId; readonly pattern: RegExp; readonly message: string }[] = [
  {
    rule: 'secrecy-as-control',
    pattern:
      /\b(?:never|do not|don't|must not|should not|refuse to|under no circumstances|avoid)\b[^\n]{0,40}?\b(?:reveal|disclose|divulge|share|leak|repeat|expose|tell|show|mention|output|print)\w*\b[^\n]{0,60}?\b(?:(?:system|these|this|your|the|above|internal|hidden|secret) ?(?:\w+ )?(?:prompt|instructions?|rules|guidelines|configuration)|password|secrets?|api keys?|credentials|passphrase|confidential)\b/,
    message: 'It relies on the model to keep this to itself.',
  },
  {
    rule: 'secrecy-as-control',
    pattern:
      /\bkeep\b[^\n]{0,40}?\b(?:prompt|instructions|rules|password|key)\b[^\n]{0,20}?\b(?:secret|confidential|hidden|private)\b/,
    message: 'It relies on the model to keep this to itself.',
  },
  {
    rule: 'access-rules-in-prompt',
    pattern:
      /\b(?:only|unless|if|when|provided)\b[^\n]{0,40}?\b(?:the )?(?:user|caller|customer|requester|person|employee)s?\b[^\n]{0,30}?\b(?:(?:is|are|has|have|holds?) (?:an? |the )?(?:\w+ )?(?:admin(?:istrator)?s?|managers?|owner|authori[sz]ed|privileges?|permissions?|clearance|superuser|root|staff)|(?:gives?|provides?|enters?|says?|supplies|types?|knows?) (?:the |their |a )?(?:\w+ )?(?:password|passcode|pin|secret|code word|passphrase))\b/,
    message: 'It leaves a decision about rights to the model.',
  },
  {
    rule: 'access-rules-in-prompt',
    pattern:
      /\b(?:only (?:an? |the )?(?:admin(?:istrator)?s?|managers?|authori[sz]ed (?:users|staff|personnel|people))|(?:users?|people|customers?) with(?:out)? (?:the )?(?:\w+ )?(?:role|permission|clearance|privilege))s? (?:may|can|should|must|are allowed|is allowed|cannot|may not)\b/,
    message: 'It leaves a decision about rights to the model.',
  },
]

const judgeSentence = (
  { text, start }: Sentence,
  flat: Flat,
  known: readonly Finding[],
): readonly Finding[] => {
  const found: Finding[] = PATTERNS.flatMap(({ rule, pattern, message }) => {
    const match = pattern.exec(text)
    if (match === null) return []
    return [
      {
        rule,
        message,
        ...flat.span(start + match.index, start + match.index + match[0].length),
      },
    ]
  })
  const password = PASSWORD.exec(text)
  const value = password?.[1]
  if (password === null || value === undefined || NOT_A_PASSWORD.test(value)) return found
  if (!/[\d!@#$%^&*_-]/.test(value)) return found
  const at = flat.at(start + password.index)
  if (known.some((finding) => finding.rule === 'secret-in-prompt' && Math.abs(finding.start - at) < 100))
    return found
  return [
    ...found,
    {
      rule: 'secret-in-prompt',
      message: 'It tells the model a password or key.',
      ...flat.span(start + password.index, start + password.index + password[0].length),
    },
  ]
}

const onePerRule = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter((finding, index) => findings.findIndex(({ rule }) => rule === finding.rule) === index)

const LIMITS =
  /\b(?:only|refuse|decline|politely|do not|don't|cannot|can't|never|must not|unable|outside|out of scope|limit(?:ed)? to|restrict|if you (?:do not|don't|are not|aren't)|not sure|unsure|off-topic|unrelated|avoid|should not)\b/i

/** Where a prompt is long enough to describe an assistant; the first 20,000 characters are looked at. */
const checkScope = ({ text, span }: Flat): readonly Finding[] => {
  const isAssistant = /\byou are\b|\byour (?:role|task|job|goal)\b|\bact as\b/i.test(text.slice(0, 2000))
  if (text.length < 300 || !isAssistant || LIMITS.test(text.slice(0, 20_000))) return []
  const message = `${text.length} characters of system prompt without a word on what the assistant declines.`
  return [{ rule: 'no-scope', message, ...span(0, 1) }]
}
