import type { Dialect, DialectOptions } from '../../core/dialect.ts'
import type { JsonObject } from '../../core/json.ts'
import { anthropicMessages } from '../anthropic-messages.ts'
import { openaiChat } from '../openai-chat.ts'
import { openaiCompletions } from '../openai-completions.ts'
import { openaiEmbeddings } from '../openai-embeddings.ts'
import { chat, llm } from '../simple.ts'
import * as answers from './answers.ts'
import * as requests from './requests.ts'

export const strict: DialectOptions = { allowNonText: false, extras: new Set(), defaultModel: 'small' }

const simpleRequests: readonly JsonObject[] = [
  { prompt: 'say this', model: 'm', max_tokens: 5, temperature: 1, stream: true },
  { prompt: 'say that' },
]
const turns: readonly JsonObject[] = [
  { message: 'and then?', history: [{ role: 'user', content: 'a b' }, { role: 'assistant', content: 'c d' }] },
  { message: 'only this', stream: false },
] // prettier-ignore

/** Every dialect with requests and answers of its API. */
export const table: readonly (readonly [string, Dialect, readonly JsonObject[], readonly JsonObject[]])[] = [
  ['openai chat', openaiChat, requests.chatRequests, answers.chatAnswers],
  ['openai completions', openaiCompletions, requests.completionRequests, answers.completionAnswers],
  ['openai embeddings', openaiEmbeddings, requests.embeddingRequests, answers.embeddingAnswers],
  ['anthropic messages', anthropicMessages, requests.messageRequests, answers.messageAnswers],
  ['llm', llm, simpleRequests, answers.chatAnswers],
  ['chat', chat, turns, answers.chatAnswers],
]
