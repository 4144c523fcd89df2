import type { ExchangeLine } from './schema.ts'
import type { WouldHave } from './would-have.ts'

/** What would have had to be different, in plain English. */
export const tellWouldHave = (changes: readonly WouldHave[], record: ExchangeLine): readonly string[] => {
  if (changes.length > 0) return [...changes.map(sentenceOf), ...caveat(changes)]
  const noted = record.findings.flatMap(({ action, by }, i) =>
    action === 'observe' && by !== 'denied' ? [i + 1] : [],
  )
  return [
    'Nothing was taken away.',
    ...(noted.length === 0
      ? []
      : [
          `${numbered(noted)} changed nothing, because policy says observe; with redact or block there, it would have.`,
        ]),
  ]
}

const sentenceOf = ({ did, findings, codes }: WouldHave): string => {
  const without = `Without ${numbered(findings).toLowerCase()}, or with observe for ${findings.length > 1 ? 'them' : 'it'} in policy,`
  switch (did) {
    case 'block_request':
      return `${without} the request would not have been blocked.`
    case 'redact_request':
      return `${without} the model would have seen these places as they were written.`
    case 'cut_answer':
      return `${without} the answer would not have been cut there.`
    case 'redact_answer':
      return `${without} the client would have seen these places as the model wrote them.`
    case 'deny':
      return `Policy denied it for ${codes.join(', ') || 'a reason it does not name'}: none of these may hold.`
    case 'refuse':
      return REFUSED[codes[0] ?? ''] ?? `It was refused as ${codes[0] ?? ''}, whatever its content.`
    case 'end_answer':
      return 'With tokens left in the budget the answer would have gone on.'
  }
}

const REFUSED: Readonly<Record<string, string>> = {
  unauthenticated: 'With a valid credential it would have been inspected.',
  rate_limited: 'A little later, or with a higher limit, it would have been inspected.',
  budget_spent: 'With tokens left in the budget it would have been inspected.',
  client_gone: 'Had the client waited, it would have seen what was decided.',
  guard_failed:
    'A part of the guard failed; what it cannot check, it does not let through. Its log says which.',
  guard_unavailable: 'A part of the guard was away; what it cannot check, it does not let through.',
  model_unavailable: 'The model server was away or failed; the guard had not refused it.',
  model_timeout: 'The model server was too slow; the guard had not refused it.',
  model_refused: 'The model server refused it, not the guard.',
}

const caveat = (changes: readonly WouldHave[]): readonly string[] =>
  changes.some(({ did }) => did === 'block_request' || did === 'deny' || did === 'redact_request')
    ? ['What would have come then is not known: neither policy nor the model was asked again.']
    : []

const numbered = (numbers: readonly number[]): string => {
  const shown = numbers.slice(0, 20).join(', ')
  const more = numbers.length > 20 ? ` and ${numbers.length - 20} more` : ''
  return `${numbers.length === 1 ? 'Finding' : 'Findings'} ${shown}${more}`
}
