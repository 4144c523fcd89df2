import type { Cut, Delta, Lane } from '../core/dialect.ts'
import type { Finding } from '../core/finding.ts'
import { actionFor, type Actions } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import type { Holds, ScanSession } from '../core/scanner.ts'
import { followingSession, lastOf } from './following.ts'
import { textLane, type TextLane } from './lane.ts'
import { logprobQueue, type LogprobQueue } from './logprobs.ts'

export interface StreamRules {
  readonly open: (holds: Holds) => ScanSession
  /** What is done about findings, known before there are any. */
  readonly actions: Actions
  /** What is done from now on, given the findings that just became certain; undefined cuts the choice. */
  readonly judge: (lane: Lane, found: readonly Finding[]) => Promise<Actions | undefined>
  /** A complete tool call. Returns the arguments to send; undefined cuts the choice. */
  readonly judgeTool: (lane: Lane, call: HeldCall) => Promise<string | undefined>
  /** How many choices were asked for; when all are cut, the stream is over. */
  readonly choices: number
  /** More held text than this fails the stream. */
  readonly maxHeldChars: number
  /** Longer arguments of one tool call fail the stream. */
  readonly maxArgumentChars: number
}

export interface HeldCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

export interface StreamGuard {
  /** What may be sent on. Synchronous as long as nothing is found and nothing ends. */
  take(delta: Delta): readonly Delta[] | Promise<readonly Delta[]>
  /** Ends every choice that still runs. */
  cutAll(reason: Cut): readonly Delta[]
  /** True when every choice was cut: nothing more will come out. */
  over(): boolean
  /** Characters that wait now. */
  held(): number
}

/** decode -> guard -> encode: deltas in, deltas out that were inspected and allowed. */
export const streamGuard = (rules: StreamRules): StreamGuard => {
  const stream: Stream = {
    rules,
    holds: (rule, category) => isActed(actionFor(rules.actions, rule, category)),
    actions: rules.actions,
    texts: new Map(),
    said: new Map(),
    tools: new Map(),
    choices: new Set(Array(rules.choices).keys()),
    cuts: new Set(),
    finished: new Set(),
  }
  return {
    take: (delta) => take(stream, delta),
    cutAll: (reason) => [...stream.choices].flatMap((choice) => cut(stream, choice, reason)),
    over: () => stream.cuts.size >= stream.choices.size,
    held: () => stream.texts.values().reduce((sum, state) => sum + state.text.held(), 0),
  }
}

interface Stream {
  readonly rules: StreamRules
  readonly holds: Holds
  actions: Actions
  readonly texts: Map<string, TextState>
  /** By choice and part: the end of what it said, in all its lanes. */
  readonly said: Map<string, string>
  readonly tools: Map<string, ToolState>
  readonly choices: ReadonlySet<number>
  readonly cuts: Set<number>
  readonly finished: Set<number>
}

interface TextState {
  readonly lane: Lane
  readonly voice: string
  readonly text: TextLane
  readonly logprobs: LogprobQueue
}

interface ToolState {
  readonly lane: Lane
  readonly id: string
  readonly name: string
  readonly pieces: string[]
  size: number
}

type Out = readonly Delta[]

const take = (stream: Stream, delta: Delta): Out | Promise<Out> => {
  const choice = 'lane' in delta ? delta.lane.choice : 'choice' in delta ? delta.choice : undefined
  if (choice !== undefined) {
    if (stream.cuts.has(choice) || stream.finished.has(choice)) return []
    // Each choice holds scanners of its own: only those that were asked, and paid, for.
    if (!stream.choices.has(choice)) {
      throw new Refusal('model_answer_invalid', { details: ['a choice that was not asked for'] })
    }
  }
  switch (delta.kind) {
    case 'text':
      return takeText(stream, delta)
    case 'arguments':
      return takeArguments(stream, delta.lane, delta.text)
    case 'open':
      return takeOpen(stream, delta)
    case 'close':
      return takeClose(stream, delta)
    case 'finish':
      return finish(stream, delta)
    case 'done':
      return endAll(stream).then((out) => [...out, delta])
    case 'head':
    case 'usage':
    case 'ping':
    case 'cut':
      return [delta]
  }
}

const takeOpen = (stream: Stream, delta: Delta & { kind: 'open' }): Out => {
  if (!delta.tool) return [delta]
  stream.tools.set(delta.lane.key, { lane: delta.lane, ...delta.tool, pieces: [], size: 0 })
  return []
}

const takeText = (stream: Stream, delta: Delta & { kind: 'text' }): Out | Promise<Out> => {
  const state = stream.texts.get(delta.lane.key) ?? openText(stream, delta.lane)
  stream.said.set(state.voice, lastOf(stream.said.get(state.voice) ?? '', delta.text))
  if (delta.logprobs) checkLogprobs(stream, state, state.logprobs.push(delta.logprobs))
  return settle(stream, state, state.text.push(delta.text))
}

const checkLogprobs = (stream: Stream, { logprobs }: TextState, found: readonly Finding[]): void => {
  if (found.some((finding) => isActed(actionOf(stream, finding)))) logprobs.drop()
}

const openText = (stream: Stream, lane: Lane): TextState => {
  const open = () => stream.rules.open(stream.holds)
  const voice = `${lane.choice}/${lane.part}`
  const session = followingSession(open, stream.said.get(voice) ?? '')
  const state = { lane, voice, text: textLane(session), logprobs: logprobQueue(open) }
  stream.texts.set(lane.key, state)
  return state
}

const settle = (stream: Stream, state: TextState, found: readonly Finding[]): Out | Promise<Out> =>
  found.length === 0
    ? release(stream, state)
    : stream.rules.judge(state.lane, found).then((actions) => {
        if (!actions) return cut(stream, state.lane.choice, 'content_filter')
        stream.actions = actions
        return release(stream, state)
      })

const release = (stream: Stream, state: TextState): Out => {
  const { text, blocked, position, altered } = state.text.release((finding) => actionOf(stream, finding))
  if (altered || blocked) state.logprobs.drop()
  const logprobs = state.logprobs.release(position)
  const { lane } = state
  const out: Out =
    text === '' && !logprobs
      ? []
      : [logprobs ? { kind: 'text', lane, text, logprobs } : { kind: 'text', lane, text }]
  if (blocked) return [...out, ...cut(stream, lane.choice, 'content_filter')]
  const { maxHeldChars } = stream.rules
  if (state.text.held() > maxHeldChars) {
    throw new Refusal('guard_failed', { details: [`more than ${maxHeldChars} characters held back`] })
  }
  return out
}

const takeArguments = (stream: Stream, lane: Lane, piece: string): Out => {
  const tool = stream.tools.get(lane.key)
  const { maxArgumentChars } = stream.rules
  if (!tool) throw new Refusal('model_answer_invalid', { details: ['tool arguments without a tool call'] })
  tool.size += piece.length
  tool.pieces.push(piece)
  if (tool.size > maxArgumentChars) {
    throw new Refusal('model_answer_invalid', {
      details: [`tool arguments over ${maxArgumentChars} characters`],
    })
  }
  return []
}

const takeClose = async (stream: Stream, delta: Delta & { kind: 'close' }): Promise<Out> => {
  const tool = stream.tools.get(delta.lane.key)
  if (tool) return endTool(stream, tool)
  const text = stream.texts.get(delta.lane.key)
  const out = text ? await endText(stream, text) : []
  return stream.cuts.has(delta.lane.choice) ? out : [...out, delta]
}

const endText = async (stream: Stream, state: TextState): Promise<Out> => {
  stream.texts.delete(state.lane.key)
  checkLogprobs(stream, state, state.logprobs.end())
  return settle(stream, state, state.text.end())
}

/** A tool call leaves in one piece, or not at all. */
const endTool = async (stream: Stream, tool: ToolState): Promise<Out> => {
  stream.tools.delete(tool.lane.key)
  const { id, name, lane } = tool
  const sent = await stream.rules.judgeTool(lane, { id, name, arguments: tool.pieces.join('') })
  if (sent === undefined) return cut(stream, lane.choice, 'content_filter')
  return [
    { kind: 'open', lane, tool: { id, name } },
    { kind: 'arguments', lane, text: sent },
    { kind: 'close', lane },
  ]
}

const endChoice = async (stream: Stream, choice: number): Promise<Out> => {
  const out: Delta[] = []
  for (const text of [...stream.texts.values()]) {
    if (text.lane.choice === choice && !stream.cuts.has(choice)) out.push(...(await endText(stream, text)))
  }
  for (const tool of [...stream.tools.values()]) {
    if (tool.lane.choice === choice && !stream.cuts.has(choice)) out.push(...(await endTool(stream, tool)))
  }
  return out
}

const finish = async (stream: Stream, delta: Delta & { kind: 'finish' }): Promise<Out> => {
  const out = await endChoice(stream, delta.choice)
  if (stream.cuts.has(delta.choice)) return out
  stream.finished.add(delta.choice)
  return [...out, delta]
}

const endAll = async (stream: Stream): Promise<Out> => {
  const out: Delta[] = []
  for (const choice of stream.choices) out.push(...(await endChoice(stream, choice)))
  return out
}

const cut = (stream: Stream, choice: number, reason: Cut): Out => {
  if (stream.cuts.has(choice) || stream.finished.has(choice)) return []
  stream.cuts.add(choice)
  for (const map of [stream.texts, stream.tools]) {
    for (const [key, one] of map) if (one.lane.choice === choice) map.delete(key)
  }
  return [{ kind: 'cut', choice, reason }]
}

const isActed = (action: string): boolean => action === 'redact' || action === 'block'

const actionOf = (stream: Stream, finding: Finding) =>
  actionFor(stream.actions, finding.rule, finding.category)
