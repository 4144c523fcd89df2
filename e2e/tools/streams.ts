import OpenAI from 'openai'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { trustAuthorities } from './trust.ts'

/**
 * Keeps so many streams open until stdin ends, each to its end and then the next, and counts: `whole` got every piece and a clean
 * ending, `cut` did not, `refused` never began. One line on stdout says that all are running, one at the end is the tally.
 */
const input = createInterface({ input: process.stdin })
const [line] = (await once(input, 'line')) as [string]
const {
  url,
  token,
  streams,
  pieces,
  retries = 0,
} = JSON.parse(line) as {
  url: string
  token: string
  streams: number
  pieces: number
  retries?: number
}
let going = true
input.once('close', () => {
  going = false
})

trustAuthorities()
setInterval(trustAuthorities, 1000).unref()
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: retries, timeout: 60_000 })
const tally = { whole: 0, cut: 0, refused: 0, problems: {} as Record<string, number> }
let begun = 0

/** The client wraps what fetch wraps. */
const reasons = (error: Error): readonly string[] =>
  error.cause instanceof Error ? [error.message, ...reasons(error.cause)] : [error.message]

const problem = (kind: 'cut' | 'refused', cause: unknown): void => {
  tally[kind]++
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const words = `${kind}: ${reasons(error).join(': ').slice(0, 300)}`
  tally.problems[words] = (tally.problems[words] ?? 0) + 1
}

const one = async (): Promise<boolean> => {
  const opened = await client.chat.completions
    .create({
      model: 'demo-small',
      stream: true,
      messages: [{ role: 'user', content: `count to ${pieces}` }],
    })
    .catch((cause: unknown) => {
      problem('refused', cause)
    })
  if (!opened) return false
  if (++begun === streams) process.stdout.write('{"running":true}\n')
  try {
    let text = ''
    let finish: string | null = null
    for await (const chunk of opened) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
    }
    if (finish === 'stop' && text.includes(`number ${pieces},`)) tally.whole++
    else problem('cut', `ended with ${finish ?? 'nothing'} after ${text.length} characters`)
  } catch (cause) {
    problem('cut', cause)
  }
  return true
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

await Promise.all(
  Array.from({ length: streams }, async () => {
    while (going) if (!(await one())) await pause(200)
  }),
)
process.stdout.write(`${JSON.stringify(tally)}\n`)
process.exit(0)
