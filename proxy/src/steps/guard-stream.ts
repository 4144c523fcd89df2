import { hash } from 'node:crypto'
import type { Capture } from '../core/capture.ts'
import type { Delta, Lane, StreamCodec } from '../core/dialect.ts'
import type { StreamAnswer } from '../core/exchange.ts'
import { noteOutcome, plainName, type Notes } from '../core/notes.ts'
import { asRefusal, endedBy, Refusal } from '../core/refusal.ts'
import type { ArgumentCheck, Scanner } from '../core/scanner.ts'
import { eventReader } from '../stream/sse.ts'
import { streamGuard, type StreamGuard } from '../stream/stream-guard.ts'
import { denied } from './decide.ts'
import { expectType } from './forward.ts'
import type { Guarded } from './guard-whole.ts'
import { sessionElsewhere } from './hosts.ts'
import { estimateOutput } from './limit.ts'
import { withLine } from './inspect.ts'
import { replyHeaders } from './reply-headers.ts'
import { streamJudge } from './stream-judge.ts'

export interface StreamParts {
  readonly scanner: Scanner
  readonly checkArguments: ArgumentCheck
  readonly capture?: Capture | undefined
  readonly maxEventChars: number
  readonly maxHeldChars: number
  readonly maxArgumentChars: number
}

/** decode -> guard -> encode. What reaches the client was inspected; a stream that fails says so and has no clean ending. */
export const guardStream =
  (parts: StreamParts) =>
  async (guarded: Guarded, notes: Notes): Promise<void> => {
    const { reply, admitted, decide } = guarded
    expectType(reply, 'text/event-stream')
    const codec = admitted.dialect.openStream?.(admitted.prompt, admitted.prompt.model)
    if (!codec) throw new Refusal('body_invalid', { details: ['this route has no streams'] })
    const first = await decide({ stage: 'response', findings: [] })
    if (!first.allow) throw denied(first)
    const { hosts, tool_hosts: toolHosts } = first.actions
    const { scanner } = parts
    const check = parts.checkArguments(admitted.prompt.texts)
    const judge = streamJudge({ scanner, check, toolHosts }, decide, notes)
    const guard = streamGuard({
      open: (holds) => sessionElsewhere(scanner.open(holds), hosts),
      actions: first.actions,
      judge: judge.text,
      judgeTool: judge.tool,
      choices: admitted.prompt.choices ?? 1,
      maxHeldChars: parts.maxHeldChars,
      maxArgumentChars: parts.maxArgumentChars,
    })
    const run: Run = {
      parts,
      notes,
      codec,
      guard,
      out: undefined,
      lanes: new Map(),
      chars: 0,
      heldMost: 0,
      done: false,
    }
    try {
      await pump(run, reply.body)
    } catch (error) {
      await fail(run, error)
      throw error
    } finally {
      noteStream(run)
      await keepStream(run)
    }
    if (run.keepFailed !== undefined) throw run.keepFailed
  }

interface Run {
  readonly parts: StreamParts
  readonly notes: Notes
  readonly codec: StreamCodec
  readonly guard: StreamGuard
  /** Undefined until the first byte leaves: until then a failure can still be an ordinary refusal. */
  out: StreamAnswer | undefined
  readonly lanes: Map<string, { readonly lane: Lane; readonly pieces: string[] }>
  chars: number
  heldMost: number
  /** Why what was said could not be kept for the auditor. */
  keepFailed?: Error
  /** The model's own end was seen, or ours was sent. */
  done: boolean
  firstChunk?: number
  firstTextIn?: number
  firstTextOut?: number
}

const pump = async (run: Run, body: AsyncIterable<Uint8Array>): Promise<void> => {
  const reader = eventReader(run.parts.maxEventChars)
  for await (const bytes of body) {
    run.firstChunk ??= performance.now()
    let text = ''
    for (const event of reader.read(bytes)) {
      for (const delta of run.codec.decode(event)) {
        const released = pass(run, delta)
        // Waiting for what is there already would cost every delta a turn of the event loop's queue.
        text += encode(run, isPromise(released) ? await released : released)
      }
      if (run.done) break
    }
    run.heldMost = Math.max(run.heldMost, run.guard.held())
    if (!run.done) text += endEarly(run)
    if (text !== '') await send(run, text)
    if (run.done) break
  }
  if (!run.done) {
    reader.end()
    throw new Refusal('model_unavailable', { details: ['the stream of the model server ended early'] })
  }
  await run.out?.end()
}

/** One delta of the model through the guard. */
const pass = (run: Run, delta: Delta): Released => {
  note(run, delta)
  return run.guard.take(delta)
}

type Released = ReturnType<StreamGuard['take']>

const isPromise = (released: Released): released is Extract<Released, Promise<unknown>> =>
  released instanceof Promise

const encode = (run: Run, deltas: readonly Delta[]): string => {
  let text = ''
  for (const delta of deltas) {
    if (delta.kind === 'text') run.firstTextOut ??= performance.now()
    if (delta.kind === 'cut') noteOutcome(run.notes, 'cut')
    if (delta.kind === 'done') run.done = true
    text += run.codec.encode(delta)
  }
  return text
}

/** The guard ends the stream itself when nothing more can come out of it, or when the token budget is spent. */
const endEarly = (run: Run): string => {
  const { notes, guard } = run
  const used = notes.estimated.input + estimateOutput(run.chars)
  const spent = notes.lease !== undefined && used > notes.lease.ceiling
  if (!spent && !guard.over()) return ''
  if (spent) notes.reasons = [...notes.reasons, 'budget_spent']
  return encode(run, [...(spent ? guard.cutAll('length') : []), { kind: 'done' }])
}

const send = async (run: Run, text: string): Promise<void> => {
  run.notes.status = 200
  run.out ??= run.notes.received.answer.stream(200, {
    'content-type': 'text/event-stream',
    ...replyHeaders(run.notes),
  })
  await run.out.write(text)
}

const note = (run: Run, delta: Delta): void => {
  switch (delta.kind) {
    case 'text':
    case 'arguments': {
      if (delta.kind === 'text') sampleText(run, delta)
      run.chars += delta.text.length
      const known = run.lanes.get(delta.lane.key)
      if (known) known.pieces.push(delta.text)
      else run.lanes.set(delta.lane.key, { lane: delta.lane, pieces: [delta.text] })
      return
    }
    case 'usage':
      run.notes.usage = delta.usage
      return
    case 'head':
      run.notes.answered = plainName(delta.model)
      run.notes.modelSpan?.set({ responseId: delta.id, responseModel: delta.model })
      return
    case 'finish':
      run.notes.modelSpan?.set({ finishReasons: [delta.reason] })
      return
    case 'open':
    case 'close':
    case 'ping':
    case 'done':
    case 'cut':
      return
  }
}

/** Before the first byte the refusal is answered as usual; after it the dialect's own error event is all that can be said. */
const fail = async (run: Run, error: unknown): Promise<void> => {
  if (!run.out) return
  const ended = endedBy(run.notes.received.signal)
  if (ended?.code === 'client_gone') {
    run.out.destroy()
    return
  }
  try {
    await run.out.write(run.codec.fail(ended ?? asRefusal(error), run.notes.received.id))
    await run.out.end()
  } catch {
    run.out.destroy()
  }
}

/** After the last byte, which is too late to refuse: a failure is then in the record, and the next exchange is refused. */
const keepStream = async (run: Run): Promise<void> => {
  const { notes, parts, lanes } = run
  const { caller, texts } = notes
  if (caller === undefined || parts.capture?.wants(caller.tenant) !== true || lanes.size === 0) return
  const first = texts.length - lanes.size
  const said = [...lanes.values()].map(({ pieces }) => pieces.join(''))
  try {
    const lines = await parts.capture.keep(
      { id: notes.received.id, tenant: caller.tenant },
      texts
        .slice(first)
        .map(({ direction, path, sha256 }, i) => ({ direction, path, sha256, value: said[i] ?? '' })),
    )
    texts.slice(first).forEach((text, i) => (texts[first + i] = withLine(text, lines[i])))
  } catch (error) {
    run.keepFailed = error as Error
  }
}

const sampleText = (run: Run, { lane, text, logprobs }: Extract<Delta, { kind: 'text' }>): void => {
  run.firstTextIn ??= performance.now()
  if (lane.part !== 'content' && lane.part !== 'refusal') return
  run.notes.sample?.text(text, lane.choice)
  if (logprobs !== undefined) run.notes.sample?.tokens(logprobs)
}

const noteStream = (run: Run): void => {
  const { notes } = run
  notes.estimated = { input: notes.estimated.input, output: estimateOutput(run.chars) }
  for (const { lane, pieces } of run.lanes.values()) {
    const text = pieces.join('')
    const sha256 = hash('sha256', text)
    notes.texts.push({ direction: 'response', path: lane.key, length: text.length, sha256 })
  }
  notes.meter.observe('postern_held_characters', run.heldMost, notes.received.route.name)
  noteTimes(run)
}

const noteTimes = (run: Run): void => {
  const { notes } = run
  const begun = notes.received.startedAt + (notes.timings['guard'] ?? 0)
  notes.timings['model'] = performance.now() - begun
  notes.modelSpan?.set({ heldCharacters: run.heldMost })
  if (run.firstChunk === undefined) return
  notes.timings['first_chunk'] = run.firstChunk - notes.received.startedAt
  notes.modelSpan?.set({ firstChunkSeconds: (run.firstChunk - begun) / 1000 })
  notes.modelSpan?.mark('first_chunk', run.firstChunk)
  if (run.firstTextIn === undefined) return
  notes.timings['first_text'] = run.firstTextIn - notes.received.startedAt
  notes.modelSpan?.mark('first_text_in', run.firstTextIn)
  if (run.firstTextOut === undefined) return
  notes.timings['first_text_out'] = run.firstTextOut - notes.received.startedAt
  const added = (run.firstTextOut - run.firstTextIn) / 1000
  notes.modelSpan?.mark('first_text_out', run.firstTextOut)
  notes.modelSpan?.set({ firstTextAddedSeconds: added })
  notes.meter.observe('postern_first_token_added_seconds', added, notes.received.route.name)
}
