import OpenAI from 'openai'
import { readFileSync } from 'node:fs'

/** One question many times, eight at a time, as JSON on stdin; one JSON line says how often each answer came. */
const { url, token, text, times } = JSON.parse(readFileSync(0, 'utf8')) as {
  url: string
  token: string
  text: string
  times: number
}
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0, timeout: 20_000 })
const tally: Record<string, number> = {}
let asked = 0

await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (asked++ < times) {
      const answer = await client.chat.completions
        .create({ model: 'demo-small', messages: [{ role: 'user', content: text }] })
        .then(
          ({ choices }) => choices[0]?.message.content ?? '',
          (cause: unknown) => String(cause),
        )
      tally[answer] = (tally[answer] ?? 0) + 1
    }
  }),
)
process.stdout.write(`${JSON.stringify(tally)}\n`)
