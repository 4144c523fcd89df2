import type { Dialect } from '../core/dialect.ts'
import type { MessageNotes } from './anthropic-decode.ts'
import { decodeMessage, messageStreamRows } from './anthropic-decode.ts'
import { encodeMessage } from './anthropic-encode.ts'
import { messageReplyRows, readMessage, writeMessage } from './anthropic-reply.ts'
import { messageRequestRows, readMessages, writeMessages } from './anthropic-request.ts'
import { coverageOf } from './coverage.ts'
import { anthropicError, errorMessage, errorRows } from './errors.ts'

/** `POST /v1/messages` of Anthropic and of the servers that copy it. */
export const anthropicMessages: Dialect = {
  name: 'anthropic.messages',
  operation: 'chat',
  read: readMessages,
  write: writeMessages,
  readReply: readMessage,
  writeReply: writeMessage,
  openStream: (prompt, model) => {
    const notes: MessageNotes = { blocks: new Map(), usage: {} }
    return {
      decode: decodeMessage(prompt, notes),
      encode: encodeMessage(model, notes),
      fail: (refusal, id) => `event: error\ndata: ${JSON.stringify(anthropicError(refusal, id))}\n\n`,
    }
  },
  readError: errorMessage,
  coverage: coverageOf({
    request: messageRequestRows,
    response: messageReplyRows,
    stream: messageStreamRows,
    error: errorRows,
  }),
}
