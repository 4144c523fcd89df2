import type { IncomingMessage } from 'node:http'
import { Refusal } from '../core/refusal.ts'
import { tooLarge } from './head.ts'
import type { ServerLimits } from './limits.ts'

const SMALL = 32 * 1024

/** Average bytes that a piece must carry once `bodyChunks` pieces came: a piece costs about what 64 bytes cost. */
const BYTES_PER_CHUNK = 64

/**
 * Reads a whole body. Throws Refusal `body_too_large`, `body_invalid` (too many tiny pieces), `request_timeout` after
 * `timeoutMs`, or `client_gone`. After a refusal the rest of the body is no longer listened to.
 */
export const readBody = (
  request: IncomingMessage,
  limits: ServerLimits,
  timeoutMs: number,
): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = []
    let size = 0
    const settle = (refusal?: Refusal): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      if (refusal !== undefined) {
        request.pause()
        reject(refusal)
      } else resolve(joined(pieces, size))
    }
    const onData = (piece: Uint8Array): void => {
      size += piece.length
      pieces.push(piece)
      if (size > limits.bodyBytes) settle(tooLarge(limits.bodyBytes))
      else if (pieces.length > limits.bodyChunks + size / BYTES_PER_CHUNK) settle(shredded())
    }
    const onEnd = (): void => settle()
    const onClose = (): void => settle(new Refusal('client_gone'))
    const timer = request.complete
      ? undefined
      : setTimeout(() => settle(new Refusal('request_timeout')), Math.max(1, timeoutMs))
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
    if (request.destroyed) onClose()
  })

/** A small piece is copied: as it is, it keeps the whole 64 KiB alive that the socket was read into. */
const joined = (pieces: readonly Uint8Array[], size: number): Uint8Array => {
  const [only] = pieces
  return pieces.length === 1 && only !== undefined && size > SMALL ? only : Buffer.concat(pieces, size)
}

const shredded = (): Refusal =>
  new Refusal('body_invalid', { details: ['the body comes in too many tiny pieces'] })

/** What a thrown-away piece counts besides its bytes. */
const PIECE_COST = 1024

/** Throws away what still comes, for at most `maxMs` and `maxBytes`, so that a client can read its refusal before the connection closes. */
export const discardBody = (
  request: IncomingMessage,
  bounds: { readonly maxMs: number; readonly maxBytes: number },
): Promise<void> =>
  new Promise((resolve) => {
    let size = 0
    const done = (): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', done).off('close', done).off('error', done)
      resolve()
    }
    const onData = (piece: Uint8Array): void => {
      size += piece.length + PIECE_COST
      if (size > bounds.maxBytes) done()
    }
    const timer = setTimeout(done, bounds.maxMs)
    if (request.complete || request.destroyed) done()
    else request.on('data', onData).on('end', done).on('close', done).on('error', done).resume()
  })
