import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `usual`: short answers, sure, in two languages. `changed`: long, unsure, in one language, often a refusal, other tools. */
export type Mood = 'usual' | 'changed'

export interface MoodyModel {
  readonly url: string
  mood: Mood
  close(): Promise<void>
}

/**
 * A stand-in for a model server whose answers change as those of a model do that was replaced: chat completions as OpenAI documents
 * them, with log probabilities and tool calls. Answers follow from the mood and from how many came before, so every run is alike.
 */
export const startMoodyModel = async (): Promise<MoodyModel> => {
  let asked = 0
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const answer = JSON.stringify(completion(body, says(model.mood, asked++, body)))
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const model: MoodyModel = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mood: 'usual',
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  return model
}

interface Body {
  readonly model: string
  readonly tools?: readonly { readonly function: { readonly name: string } }[]
}

interface Says {
  readonly text: string
  /** Of each token's first choice, 0 to 1. */
  readonly sureness: number
  readonly tool?: { readonly name: string; readonly arguments: string }
}

const ENGLISH =
  'The gate beside the large one is small, and it is the one that the guard of the house can see.'
const GERMAN =
  'Das kleine Tor neben dem großen ist das, was die Wache von dem Haus aus sehen kann, und nicht mehr.'
const DECLINES =
  "I'm sorry, but I can't help with that. It is not what the house is for, and the guard would see it."

/** Periods have no common factor with the number of callers, so that each gets some of everything. */
const says = (mood: Mood, at: number, { tools = [] }: Body): Says => {
  const called = tools[at % Math.max(1, tools.length)]?.function.name
  const usual = mood === 'usual'
  if (called !== undefined && at % 5 === 0)
    return {
      text: '',
      sureness: 1,
      tool: { name: called, arguments: usual ? '{"query":"gate"}' : '{"path":"/srv","all":true}' },
    }
  if (usual)
    return { text: (at % 7 === 1 ? GERMAN : ENGLISH).repeat(1 + (at % 3)), sureness: 0.9 + (at % 5) / 60 }
  if (at % 3 === 1) return { text: DECLINES, sureness: 0.5 }
  return {
    text: Array<string>(6 + (at % 12))
      .fill(ENGLISH)
      .join(' '),
    sureness: 0.25 + (at % 5) / 20,
  }
}

const completion = ({ model }: Body, { text, sureness, tool }: Says): object => {
  const tokens = text.match(/\s*\S+/g) ?? []
  const one = (token: string, probability: number) => ({
    ...{ token, logprob: Math.log(probability), bytes: [...Buffer.from(token)] },
  })
  return {
    ...{ id: 'chatcmpl-moody', object: 'chat.completion', created: 1_700_000_000, model },
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: tool === undefined ? text : null,
          ...(tool && { tool_calls: [{ id: 'call_0', type: 'function', function: tool }] }),
        },
        logprobs:
          tool === undefined
            ? {
                content: tokens.map((token) => ({
                  ...one(token, sureness),
                  top_logprobs: [one(token, sureness), one(' or', (1 - sureness) / 2)],
                })),
                refusal: null,
              }
            : null,
        finish_reason: tool === undefined ? 'stop' : 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: tokens.length, total_tokens: 10 + tokens.length },
  }
}

const bodyOf = async (request: IncomingMessage): Promise<Body> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as Body
}
