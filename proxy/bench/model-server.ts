import { createServer } from 'node:http'

/** The model server of the benchmark: answers as fast as Node can, so that what is measured is what stands in front of it. */
const ANSWER = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'bench',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'A guard reads what passes and lets through what it understands. '.repeat(6),
        },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 400, completion_tokens: 96, total_tokens: 496 },
  }),
)

const PIECES = 16
const chunk = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'bench',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })}\n\n`

const EVENTS = [
  chunk({ role: 'assistant', content: '' }, null),
  ...Array.from({ length: PIECES }, (_, i) =>
    chunk({ content: `A piece of text, number ${i}, of the answer. ` }, null),
  ),
  chunk({}, 'stop'),
  'data: [DONE]\n\n',
]

const server = createServer((request, response) => {
  let stream = false
  request.on('data', (bytes: Buffer) => {
    stream ||= bytes.includes('"stream":true')
  })
  request.on('end', () => {
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length })
      response.end(ANSWER)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let at = 0
    const next = (): void => {
      const event = EVENTS[at++]
      if (event === undefined) {
        response.end()
        return
      }
      response.write(event)
      setTimeout(next, 2)
    }
    next()
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1')
