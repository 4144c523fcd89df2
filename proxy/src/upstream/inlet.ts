/** The body of an answer on its way from a socket that pushes to a reader that pulls. */
export interface Inlet {
  readonly body: AsyncIterable<Uint8Array>
  /** True when the sender should stop until `onDrain`. */
  push(chunk: Uint8Array): boolean
  end(): void
  /** The reader gets what came before, then this. */
  fail(error: Error): void
  /** The reader gets this next, whatever came before. */
  cancel(error: Error): void
  /** The reader is the one who waits. */
  starving(): boolean
}

export interface InletEvents {
  readonly onDrain: () => void
  /** The reader wants no more. */
  readonly onStop: () => void
}

/** Bytes held for a slow reader at most, plus one piece. */
const HIGH_WATER_BYTES = 65_536
/** A piece of one byte holds a hundred bytes of memory. */
const HIGH_WATER_PIECES = 1024

/**
 * Pieces that came between two reads are given as one, so that an answer cut into single bytes costs one read.
 * An error that nobody reads is not an unhandled rejection.
 */
export const inlet = (events: InletEvents): Inlet => {
  const state: State = {
    events,
    chunks: [],
    bytes: 0,
    full: false,
    end: undefined,
    reader: undefined,
  }
  const iterator: AsyncIterator<Uint8Array, undefined> = {
    next: () => next(state),
    return: () => {
      if (state.end === undefined) events.onStop()
      state.chunks = []
      state.end ??= { error: undefined }
      return Promise.resolve({ done: true, value: undefined })
    },
  }
  return {
    body: { [Symbol.asyncIterator]: () => iterator },
    push: (chunk) => push(state, chunk),
    end: () => finish(state, { error: undefined }),
    fail: (error) => finish(state, { error }),
    cancel: (error) => {
      state.chunks = []
      finish(state, { error })
    },
    starving: () => state.reader !== undefined,
  }
}

interface State {
  readonly events: InletEvents
  chunks: Uint8Array[]
  bytes: number
  full: boolean
  end: { error: Error | undefined } | undefined
  reader: Reader | undefined
}

interface Reader {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void
  readonly reject: (error: Error) => void
}

const push = (state: State, chunk: Uint8Array): boolean => {
  if (state.end !== undefined) return false
  const { reader } = state
  if (reader !== undefined) {
    state.reader = undefined
    reader.resolve({ done: false, value: chunk })
    return false
  }
  state.chunks.push(chunk)
  state.bytes += chunk.byteLength
  state.full = state.bytes >= HIGH_WATER_BYTES || state.chunks.length >= HIGH_WATER_PIECES
  return state.full
}

const finish = (state: State, end: { error: Error | undefined }): void => {
  if (state.end !== undefined) return
  state.end = end
  const { reader } = state
  state.reader = undefined
  if (reader === undefined) return
  if (end.error === undefined) reader.resolve({ done: true, value: undefined })
  else reader.reject(takeError(state, end.error))
}

/** An error is given once; a reader that goes on after it finds the end, as with generators. */
const takeError = (state: State, error: Error): Error => {
  state.end = { error: undefined }
  return error
}

const next = (state: State): Promise<IteratorResult<Uint8Array, undefined>> => {
  const [first] = state.chunks
  if (first !== undefined) {
    const value = state.chunks.length === 1 ? first : Buffer.concat(state.chunks)
    state.chunks = []
    state.bytes = 0
    if (state.full) {
      state.full = false
      state.events.onDrain()
    }
    return Promise.resolve({ done: false, value })
  }
  if (state.end?.error !== undefined) return Promise.reject(takeError(state, state.end.error))
  if (state.end !== undefined) return Promise.resolve({ done: true, value: undefined })
  if (state.reader !== undefined) return Promise.reject(new TypeError('one read at a time'))
  return new Promise((resolve, reject) => {
    state.reader = { resolve, reject }
  })
}
