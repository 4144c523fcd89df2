import type { Lane } from '../core/dialect.ts'
import { isAmbiguousJson, nestedJson, withEdits } from '../core/edit.ts'
import type { Finding } from '../core/finding.ts'
import { jsonTexts, memberNames } from '../core/json-texts.ts'
import { isObject } from '../core/json.ts'
import { noteOutcome, type Notes } from '../core/notes.ts'
import { actionFor, type Actions } from '../core/policy.ts'
import { pointer, type Channel, type Edit, type Text } from '../core/text.ts'
import { cleanWhole } from '../stream/redact.ts'
import type { HeldCall } from '../stream/stream-guard.ts'
import { DENIED, noteFindings } from './admit.ts'
import { factBook, factsOf, type Decide } from './decide.ts'
import { leadingElsewhere } from './hosts.ts'
import { scanSafely } from './paced-scan.ts'
import type { ArgumentCheck, Scanner } from '../core/scanner.ts'

export interface JudgeParts {
  readonly scanner: Scanner
  readonly check: ReturnType<ArgumentCheck>
  /** Hosts that arguments may name. */
  readonly toolHosts: readonly string[] | undefined
}

export interface StreamJudge {
  readonly text: (lane: Lane, found: readonly Finding[]) => Promise<Actions | undefined>
  readonly tool: (lane: Lane, call: HeldCall) => Promise<string | undefined>
}

const CHANNELS: Record<Lane['part'], Channel> = {
  content: 'message',
  reasoning: 'reasoning',
  refusal: 'refusal',
  tool: 'tool_arguments',
}

/** Asks policy about what is found while an answer streams. */
export const streamJudge = (parts: JudgeParts, decide: Decide, notes: Notes): StreamJudge => {
  const book = factBook()
  const noted = (actions: Actions, path: string, findings: readonly Finding[]): void => {
    noteFindings({ notes, direction: 'response', actions }, path, findings)
    if (findings.some((finding) => actionFor(actions, finding.rule, finding.category) === 'redact')) {
      noteOutcome(notes, 'redacted')
    }
  }
  return {
    async text(lane, found) {
      book.add({ role: 'assistant', channel: CHANNELS[lane.part] }, found)
      const answer = await decide({ stage: 'response', findings: book.facts() })
      noted(answer.allow ? answer.actions : DENIED, lane.key, found)
      return answer.allow ? answer.actions : undefined
    },
    async tool(lane, call) {
      if (isAmbiguousJson(call.arguments)) {
        notes.reasons = [...notes.reasons, 'tool_arguments_ambiguous']
        notes.sample?.tool(call.name, [])
        return undefined
      }
      const held = readArguments(call.arguments)
      notes.sample?.tool(call.name, held.names)
      const scanned = held.texts.map((text) => ({ text, findings: inArgument(parts, text.value) }))
      const tool = { name: call.name, arguments: held.names }
      const answer = await decide({ stage: 'tool_call', findings: factsOf(scanned), tool })
      const actions = answer.allow ? answer.actions : DENIED
      const edits: Edit[] = []
      let blocked = !answer.allow
      for (const { text, findings } of scanned) {
        if (findings.length === 0) continue
        noted(actions, lane.key + pointer(text.path), findings)
        const cleaned = cleanWhole(text.value, findings, ({ rule, category }) =>
          actionFor(actions, rule, category),
        )
        if (cleaned.blocked) blocked = true
        else if (cleaned.redacted) edits.push({ path: text.path, value: cleaned.text })
      }
      return blocked ? undefined : held.write(edits)
    },
  }
}

const inArgument = ({ scanner, check, toolHosts }: JudgeParts, value: string): readonly Finding[] =>
  leadingElsewhere([...scanSafely(scanner, value), ...check(value)], toolHosts)

interface HeldArguments {
  readonly texts: readonly Text[]
  /** Top-level argument names, sorted. */
  readonly names: readonly string[]
  readonly write: (edits: readonly Edit[]) => string
}

/** Arguments that are no strict JSON are one text as they stand: models do send them, and a client may still read them. */
const readArguments = (text: string): HeldArguments => {
  const kind = { role: 'assistant', channel: 'tool_arguments' } as const
  const json = nestedJson(text)
  if (json === undefined || !isObject(json)) {
    return {
      texts: [{ path: [], ...kind, value: text }],
      names: memberNames(text),
      write: ([edit]) => edit?.value ?? text,
    }
  }
  return {
    texts: jsonTexts(json, [], kind),
    names: Object.keys(json).sort(),
    write: (edits) => JSON.stringify(withEdits(json, edits)),
  }
}
