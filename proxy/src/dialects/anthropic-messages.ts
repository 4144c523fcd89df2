import type { Dialect } from '../core/dialect.ts'
import type { MessageNotes } from './anthropic-decode.ts'
import { decodeMessage } from './anthropic-decode.ts'
import { encodeMessage } from './anthropic-encode.ts'
import { readMessage, writeMessage } from './anthropic-reply.ts'
import { readMessages, writeMessages } from './anthropic-request.ts'
import { anthropicError, errorMessage } from './errors.ts'

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
}
