import type { AuditTool } from '../core/audit.ts'
import type { Behaviour, CalledTool, ExchangeFacts } from '../core/behaviour.ts'
import type { EntropyStats, Flag } from '../core/flag.ts'
import type { Log } from '../core/log.ts'
import type { Notes } from '../core/notes.ts'

export interface BehaveParts {
  readonly behaviour: Behaviour
  /** The configured name that a model falls under. */
  readonly listed: (model: string) => string | undefined
  /** Whether the name of a tool or an argument may be kept: a plain name in which no rule finds anything. */
  readonly isPlain: (name: string) => boolean
  readonly log: Log
}

/** What the record says about behaviour. */
export interface Noticed {
  readonly flags: readonly Flag[]
  readonly tools: readonly AuditTool[]
  readonly entropy: EntropyStats | null
}

/** Shows the exchange to what watches models and callers. Only model APIs: keys, logins and lists say nothing about models. Never throws. */
export const behaveStep =
  ({ behaviour, listed, isPlain, log }: BehaveParts) =>
  (notes: Notes): Noticed => {
    if (notes.received.route.kind !== 'dialect') return NOTHING
    try {
      const read = notes.sample?.facts()
      const called = (read?.called ?? []).map((tool) => shownOf(tool, notes.offered, isPlain))
      const facts = { answer: read && { ...read, called }, model: listed(notes.model) ?? '' }
      const offered = called.filter((tool) => tool.offered).map(({ name }) => name)
      const flags = behaviour.seen({ ...callOf(notes), ...facts, offered })
      return { flags, tools: toolsOf(called), entropy: read?.entropy ?? null }
    } catch (cause) {
      log.error('behaviour_failed', { id: notes.received.id, cause: cause as Error })
      return NOTHING
    }
  }

const NOTHING: Noticed = { flags: [], tools: [], entropy: null }

interface Shown extends CalledTool {
  readonly offered: boolean
}

/** A name that could be a text is `*`, and `?` when it was not offered either, so that the two are never mistaken for each other. */
const shownOf = (
  { name, arguments: names }: CalledTool,
  offered: readonly string[],
  isPlain: BehaveParts['isPlain'],
): Shown => {
  const known = offered.includes(name)
  return {
    name: isPlain(name) ? name : known ? '*' : '?',
    arguments: names.filter(isPlain),
    offered: known,
  }
}

const callOf = (notes: Notes): Omit<ExchangeFacts, 'answer' | 'model' | 'offered'> => ({
  at: performance.now(),
  tenant: notes.caller?.tenant ?? '',
  caller: notes.caller?.subject ?? '',
  roles: notes.caller?.roles ?? [],
  scopes: notes.caller?.scopes ?? [],
  client: notes.received.client,
  outcome: notes.outcome,
  rules: notes.findings.map(({ rule }) => rule),
})

const toolsOf = (called: readonly Shown[]): readonly AuditTool[] => {
  const tools = new Map<string, AuditTool>()
  for (const { name, offered } of called) tools.set(name, { name, offered })
  return [...tools.values()]
}
