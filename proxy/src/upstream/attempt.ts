import type { Dispatcher, Pool } from 'undici'
import type { ModelReply } from '../core/upstream.ts'
import type { SeatedHandler } from './connection.ts'
import {
  abandoned,
  failure,
  invalid,
  noConnection,
  timedOut,
  type AttemptFailed,
  type Progress,
  type Result,
} from './failures.ts'
import { isUncoded, replyHeaders } from './headers.ts'
import { inlet, type Inlet } from './inlet.ts'
import type { UpstreamOptions } from './options.ts'

export interface Attempt {
  readonly pool: Pool
  readonly upstream: UpstreamOptions
  readonly path: string
  readonly headers: string[]
  readonly body: string
  readonly stream: boolean
  readonly signal: AbortSignal
  /** Told once, when the response headers are there. */
  readonly onHead: (status: number) => void
  /** Told once, when the attempt is over for good or bad. */
  readonly onOver: (result: Result) => void
  /** Told once, when undici holds nothing of it any more. */
  readonly onReleased: () => void
}

/**
 * One POST to one upstream. Rejects with AttemptFailed until the headers are there; afterwards the body throws the
 * Refusal. Whatever happens, the connection is free for others, or closed, when `onReleased` is told.
 */
export const callUpstream = (attempt: Attempt): Promise<ModelReply> =>
  new Promise((resolve, reject) => {
    const call: Call = {
      attempt,
      phase: 'waiting',
      over: false,
      released: false,
      controller: undefined,
      sentAt: 0,
      reused: false,
      infos: 0,
      received: 0,
      limit: 0,
      inlet: undefined,
      status: 0,
      idle: undefined,
      total: undefined,
      resolve,
      reject,
      onAbort: () => fail(call, abandoned(attempt.signal.reason), true),
    }
    start(call)
  })

interface Call {
  readonly attempt: Attempt
  phase: Progress['phase']
  over: boolean
  released: boolean
  controller: Dispatcher.DispatchController | undefined
  sentAt: number
  reused: boolean
  infos: number
  received: number
  limit: number
  inlet: Inlet | undefined
  status: number
  idle: NodeJS.Timeout | undefined
  total: NodeJS.Timeout | undefined
  readonly resolve: (reply: ModelReply) => void
  readonly reject: (failed: AttemptFailed) => void
  readonly onAbort: () => void
}

const MAX_INFOS = 8 // 102 and 103 answers before the real one
const MAX_STREAM_BYTES = 64 * 1024 * 1024

const start = (call: Call): void => {
  const { attempt } = call
  const { headersMs, totalMs } = attempt.upstream.timeouts
  if (attempt.signal.aborted) {
    call.onAbort()
    released(call)
    return
  }
  attempt.signal.addEventListener('abort', call.onAbort)
  call.idle = setTimeout(headersLate, headersMs, call)
  call.total = setTimeout(totalLate, totalMs, call)
  attempt.pool.dispatch(
    { method: 'POST', path: attempt.path, headers: attempt.headers, body: attempt.body },
    handler(call),
  )
}

// An accessor in an object literal makes V8 a new shape for every call.
const handler = (call: Call): SeatedHandler => {
  const seated: SeatedHandler = {
    seat: undefined,
    onRequestStart: (controller) => {
      // A throw leaves the connection to the next call in the queue; abort would close it.
      if (call.over) throw GIVEN_UP
      call.controller = controller
      call.phase = 'sent'
      call.sentAt = performance.now()
      if (seated.seat !== undefined) {
        call.reused = seated.seat.served > 0
        seated.seat.served += 1
      }
    },
    onResponseStarted: () => {
      call.phase = 'answering'
    },
    onResponseStart: (_, status, headers) => onHead(call, status, headers),
    onResponseData: (controller, chunk) => onData(call, controller, chunk),
    onResponseEnd: () => {
      released(call)
      if (call.over) return
      finish(call, 'ok')
      call.inlet?.end()
    },
    onResponseError: (_, error) => {
      released(call)
      fail(call, failure(error, { ...call, sentMs: performance.now() - call.sentAt }))
    },
  }
  return seated
}

const GIVEN_UP = new Error('the call was given up')

const onHead = (call: Call, status: number, headers: Received): void => {
  if (call.over) return
  if (status < 200) {
    call.infos += 1
    if (call.infos > MAX_INFOS) fail(call, invalid(new Error('too many interim answers')))
    return
  }
  const { upstream, stream, onHead: report } = call.attempt
  const kept = replyHeaders(headers)
  const streamed = stream && kept?.['content-type']?.toLowerCase().startsWith('text/event-stream') === true
  call.limit = streamed ? (upstream.maxStreamBytes ?? MAX_STREAM_BYTES) : upstream.maxBodyBytes
  const problem = headProblem(call, status, headers)
  if (kept === undefined || problem !== undefined) {
    fail(call, invalid(new Error(problem ?? 'response headers are ambiguous')))
    return
  }
  call.phase = 'body'
  call.status = status
  clearTimeout(call.idle)
  call.idle = setTimeout(bodyLate, upstream.timeouts.idleMs, call)
  call.inlet = inlet({
    onDrain: () => {
      call.idle?.refresh()
      call.controller?.resume()
    },
    onStop: () => fail(call, abandoned(new Error('the reader stopped'))),
  })
  report(status)
  call.resolve({ status, headers: kept, body: call.inlet.body, upstream: upstream.name })
}

const headProblem = (call: Call, status: number, headers: Received): string | undefined => {
  if (status >= 300 && status < 400) return 'the upstream redirects'
  if (!isUncoded(headers)) return 'the answer has a coding'
  if (Number(headers['content-length'] ?? 0) > call.limit) return TOO_LARGE
  return undefined
}

const TOO_LARGE = 'the answer is too large'

type Received = Readonly<Record<string, string | string[] | undefined>>

const onData = (call: Call, controller: Dispatcher.DispatchController, chunk: Buffer): void => {
  if (call.over) return
  call.received += chunk.length
  if (call.received > call.limit) {
    fail(call, invalid(new Error(TOO_LARGE)))
    return
  }
  call.idle?.refresh()
  if (call.inlet?.push(chunk) === true) controller.pause()
}

const headersLate = (call: Call): void =>
  fail(call, call.phase === 'waiting' ? noConnection() : timedOut('headers'))

const totalLate = (call: Call): void =>
  fail(call, call.phase === 'waiting' ? noConnection() : timedOut('whole answer'))

/** When nobody reads, the model is not to blame. */
const bodyLate = (call: Call): void =>
  fail(
    call,
    call.inlet?.starving() === true ? timedOut('body') : abandoned(new Error('nobody reads the answer')),
  )

const fail = (call: Call, failed: AttemptFailed, atOnce = false): void => {
  if (call.over) return
  finish(call, failed.result)
  if (call.inlet === undefined) call.reject(failed)
  else if (atOnce) call.inlet.cancel(failed.refusal)
  else call.inlet.fail(failed.refusal)
  if (!call.released) call.controller?.abort(GIVEN_UP)
}

const finish = (call: Call, result: Result): void => {
  call.over = true
  clearTimeout(call.idle)
  clearTimeout(call.total)
  call.attempt.signal.removeEventListener('abort', call.onAbort)
  call.attempt.onOver(result === 'ok' && call.status >= 400 ? statusResult(call.status) : result)
}

const statusResult = (status: number): Result => (status >= 500 ? 'error' : 'refused')

const released = (call: Call): void => {
  if (call.released) return
  call.released = true
  call.attempt.onReleased()
}
