import type { Dialect, StreamCodec } from '../core/dialect.ts'
import { coverageOf } from './coverage.ts'
import { errorMessage, errorRows, openaiError } from './errors.ts'
import type { ChatNotes } from './openai-chat-decode.ts'
import { chatStreamRows, decodeChat } from './openai-chat-decode.ts'
import { encodeChat } from './openai-chat-encode.ts'
import { newEnvelope } from './openai-envelope.ts'
import { chatReplyRows, readChatReply, writeChatReply } from './openai-chat-reply.ts'
import { chatRequestRows, readChat, writeChat } from './openai-chat-request.ts'

/** A failed OpenAI stream: any data with an `error` makes the clients throw; `[DONE]` must not follow. */
export const failOpenai: StreamCodec['fail'] = (refusal, id) =>
  `data: ${JSON.stringify(openaiError(refusal, id))}\n\n`

/** `POST /v1/chat/completions` of OpenAI and of the servers that copy it: vLLM, TGI, llama.cpp, Ollama. */
export const openaiChat: Dialect = {
  name: 'openai.chat',
  operation: 'chat',
  read: readChat,
  write: writeChat,
  readReply: readChatReply,
  writeReply: writeChatReply,
  openStream: (prompt, model) => {
    const notes: ChatNotes = { reasoningKeys: new Set(), callForms: new Map(), usage: undefined }
    return {
      decode: decodeChat(notes),
      encode: encodeChat(newEnvelope(prompt, { model, object: 'chat.completion.chunk', notes }), notes),
      fail: failOpenai,
    }
  },
  readError: errorMessage,
  coverage: coverageOf({
    request: chatRequestRows,
    response: chatReplyRows,
    stream: chatStreamRows,
    error: errorRows,
  }),
}
