import type { Cut, ReplyText, WholeReply } from '../core/dialect.ts'
import type { Category, Finding, Scanned } from '../core/finding.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { noteOutcome, plainName, type Notes } from '../core/notes.ts'
import { actionFor, type Action, type Actions } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { readJson, type JsonLimits } from '../core/strict-json.ts'
import { pointer, type Edit } from '../core/text.ts'
import type { ArgumentCheck } from '../core/scanner.ts'
import type { ModelReply } from '../core/upstream.ts'
import { cleanWhole } from '../stream/redact.ts'
import { DENIED, noteFindings, type Admitted } from './admit.ts'
import { factsOf, type Decide } from './decide.ts'
import { expectType, readWhole } from './forward.ts'
import { leadingElsewhere } from './hosts.ts'
import type { Inspect } from './inspect.ts'
import { estimateOutput } from './limit.ts'
import { replyHeaders } from './reply-headers.ts'

export interface WholeParts {
  readonly inspect: Inspect
  readonly json: JsonLimits
  readonly checkArguments: ArgumentCheck
}

export interface Guarded {
  readonly reply: ModelReply
  readonly admitted: Admitted
  readonly decide: Decide
}

/** A whole answer: inspected, decided, changed where policy says so, and sent. A blocked choice ends as `content_filter`. */
export const guardWhole =
  (parts: WholeParts) =>
  async ({ reply, admitted, decide }: Guarded, notes: Notes): Promise<void> => {
    expectType(reply, 'application/json')
    const whole = admitted.dialect.readReply(readAnswer(await readWhole(reply), parts.json))
    notes.timings['model'] = performance.now() - notes.received.startedAt - (notes.timings['guard'] ?? 0)
    noteReply(whole, notes)
    const inspected = await parts.inspect(whole.texts, 'response', notes)
    const check = parts.checkArguments(admitted.prompt.texts)
    const scanned = await withoutListed(withArguments(inspected as readonly ScannedReply[], check), decide)
    const verdict = await judge(whole, scanned, decide)
    const cuts = new Map<number, Cut>([...verdict.denied].map((choice) => [choice, 'content_filter']))
    const edits: Edit[] = []
    for (const { text, findings } of scanned) {
      if (findings.length === 0) continue
      const actions = verdict.actionsFor(text)
      noteFindings({ notes, direction: 'response', actions }, pointer(text.path), findings)
      const cleaned = cleanWhole(text.value, findings, (finding) => actionOf(actions, finding))
      if (cleaned.blocked) cuts.set(text.choice, 'content_filter')
      else if (cleaned.redacted) edits.push({ path: text.path, value: cleaned.text })
    }
    if (edits.length > 0) noteOutcome(notes, 'redacted')
    if (cuts.size > 0) noteOutcome(notes, 'cut')
    notes.status = 200
    const body = admitted.dialect.writeReply(whole, { edits, cuts, model: admitted.prompt.model })
    const headers = { 'content-type': 'application/json', ...replyHeaders(notes) }
    noteGuardWork(notes)
    await notes.received.answer.whole(200, headers, JSON.stringify(body))
  }

const noteGuardWork = ({ span, received, timings, findings }: Notes): void => {
  if (span.recorded === undefined) return
  const from = received.startedAt + (timings['guard'] ?? 0) + (timings['model'] ?? 0)
  const facts = { findings: findings.filter(({ direction }) => direction === 'response').length }
  span.work({ name: 'guard response', from, to: performance.now(), facts })
}

type ScannedReply = Scanned & { readonly text: ReplyText }

/** With what the arguments of tool calls would do. */
const withArguments = (
  scanned: readonly ScannedReply[],
  check: ReturnType<ArgumentCheck>,
): readonly ScannedReply[] =>
  scanned.map((one) =>
    isArguments(one.text) ? { ...one, findings: [...one.findings, ...check(one.text.value)] } : one,
  )

/** Policy is asked which hosts are fine only when something leads to one. */
const withoutListed = async (
  scanned: readonly ScannedReply[],
  decide: Decide,
): Promise<readonly ScannedReply[]> => {
  if (!scanned.some(({ findings }) => findings.some(({ host }) => host !== undefined))) return scanned
  const first = await decide({ stage: 'response', findings: [] })
  if (!first.allow) return scanned
  const { hosts, tool_hosts } = first.actions
  return scanned.map(({ text, findings }) => ({
    text,
    findings: leadingElsewhere(findings, isArguments(text) ? tool_hosts : hosts),
  }))
}

interface Verdict {
  /** Choices that policy denies as a whole. */
  readonly denied: ReadonlySet<number>
  readonly actionsFor: (text: ReplyText) => Actions
}

/** Arguments of tool calls are judged by the `tool_call` stage, everything else by `response`. */
const judge = async (
  whole: WholeReply,
  scanned: readonly ScannedReply[],
  decide: Decide,
): Promise<Verdict> => {
  const response = await decide({ stage: 'response', findings: factsOf(scanned) })
  if (!response.allow) return { denied: new Set(whole.choices), actionsFor: () => DENIED }
  const denied = new Set<number>()
  const byChoice = new Map<number, Actions[]>()
  const found = (choice: number) => scanned.filter(({ text }) => isArguments(text) && text.choice === choice)
  for (const call of whole.toolCalls) {
    const findings = factsOf(found(call.choice))
    const tool = { name: call.name, arguments: call.arguments }
    const answer = await decide({ stage: 'tool_call', findings, tool })
    if (answer.allow) byChoice.set(call.choice, [...(byChoice.get(call.choice) ?? []), answer.actions])
    else denied.add(call.choice)
  }
  const strict = new Map(
    [...byChoice].map(([choice, actions]) => [choice, strictest(actions, found(choice))]),
  )
  return {
    denied,
    actionsFor: (text) =>
      isArguments(text) ? (strict.get(text.choice) ?? response.actions) : response.actions,
  }
}

const isArguments = (text: ReplyText): boolean => text.channel === 'tool_arguments'

const actionOf = (actions: Actions, finding: Finding): Action =>
  actionFor(actions, finding.rule, finding.category)

const SEVERITY: readonly Action[] = ['ignore', 'observe', 'redact', 'block']

/** Several calls in one choice: each finding gets the strictest action that any of their decisions has for it. */
const strictest = (all: readonly Actions[], scanned: readonly ScannedReply[]): Actions => {
  const [only] = all
  if (only !== undefined && all.length === 1) return only // the record then names the row of the policy's own answer
  const worst = (rule: string, category: Category): Action =>
    SEVERITY[Math.max(...all.map((actions) => SEVERITY.indexOf(actionFor(actions, rule, category))))] ??
    'block'
  const found = scanned.flatMap(({ findings }) => findings)
  const rules = Object.fromEntries(found.map(({ rule, category }) => [rule, worst(rule, category)]))
  const thresholds = Object.assign({}, ...all.map((one) => one.thresholds ?? {})) as Record<string, number>
  return { ...DENIED, rules, thresholds }
}

const readAnswer = (bytes: Uint8Array, limits: JsonLimits): JsonObject => {
  try {
    const body = readJson(bytes, limits)
    if (isObject(body)) return body
  } catch (cause) {
    throw new Refusal('model_answer_invalid', { cause, details: ['the answer is not strict JSON'] })
  }
  throw new Refusal('model_answer_invalid', { details: ['the answer is not a JSON object'] })
}

const noteReply = (whole: WholeReply, notes: Notes): void => {
  notes.usage = whole.usage
  notes.answered = plainName(whole.model)
  notes.estimated = {
    input: notes.estimated.input,
    output: estimateOutput(whole.texts.reduce((sum, text) => sum + text.value.length, 0)),
  }
  sampleReply(whole, notes)
  notes.modelSpan?.set({
    responseId: whole.id,
    responseModel: whole.model,
    finishReasons: whole.finishReasons,
  })
}

/** What the model says, without its thoughts, its tool arguments and the alternatives to its tokens. */
const sampleReply = ({ texts, logprobs, toolCalls }: WholeReply, { sample }: Notes): void => {
  if (sample === undefined) return
  for (const { channel, path, value, choice } of texts)
    if ((channel === 'message' && !path.includes('logprobs')) || channel === 'refusal')
      sample.text(value, choice)
  sample.tokens(logprobs)
  for (const { name, arguments: names } of toolCalls) sample.tool(name, names)
}
