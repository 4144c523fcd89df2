import type { Notes } from '../core/notes.ts'

const MOST_RULES = 16

/** What every answer says about its guarding: the decision and the rules that were acted upon, never what they matched. */
export const replyHeaders = (notes: Notes): Readonly<Record<string, string>> => {
  const acted = notes.findings.filter(({ action }) => action === 'redact' || action === 'block')
  const rules = [...new Set(acted.map(({ rule }) => rule))].slice(0, MOST_RULES)
  return {
    'x-postern-decision': notes.outcome,
    ...(rules.length > 0 ? { 'x-postern-rules': rules.join(',') } : {}),
    ...(notes.uninspected > 0 ? { 'x-postern-uninspected': String(notes.uninspected) } : {}),
    ...notes.lease?.headers,
  }
}
