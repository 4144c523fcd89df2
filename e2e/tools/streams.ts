import OpenAI from 'openai'
import { readFileSync } from 'node:fs'

/**
 * Keeps so many streams open for so long, each to its end and then the next, and counts: `whole` got every piece and a clean
 * ending, `cut` did not, `refused` never began. First line on stdout once all are running, last line the tally.
 */
const { url, token, streams, seconds, pieces } = JSON.parse(readFileSync(0, 'utf8')) as {
  url: string
  token: string
  streams: number
  seconds: number
  pieces: number
}
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0, timeout: 60_000 })
const until = performance.now() + seconds * 1000
const tally = { whole: 0, cut: 0, refused: 0, problems: {} as Record<string, number> }
let running = 0

const problem = (kind: 'cut' | 'refused', cause: unknown): void => {
  tally[kind]++
  const words = `${kind}: ${(cause instanceof Error ? cause.message : String(cause)).slice(0, 200)}`
  tally.problems[words] = (tally.problems[words] ?? 0) + 1
}

const one = async (): Promise<void> => {
  const opened = await client.chat.completions
    .create({
      model: 'demo-small',
      stream: true,
      messages: [{ role: 'user', content: `count to ${pieces}` }],
    })
    .catch((cause: unknown) => problem('refused', cause))
  if (!opened) return
  try {
    let last = ''
    let finish: string | null = null
    for await (const chunk of opened) {
      if (last === '') if (++running === streams) process.stdout.write('{"running":true}\n')
      last = chunk.choices[0]?.delta.content || last || ' '
      finish = chunk.choices[0]?.finish_reason ?? finish
    }
    if (finish === 'stop' && last.includes(`number ${pieces}`)) tally.whole++
    else problem('cut', `ended with ${finish ?? 'nothing'} after "${last}"`)
  } catch (cause) {
    problem('cut', cause)
  }
}

await Promise.all(
  Array.from({ length: streams }, async () => {
    while (performance.now() < until) {
      const before = tally.refused
      await one()
      if (tally.refused > before) await new Promise((done) => setTimeout(done, 100))
    }
  }),
)
process.stdout.write(`${JSON.stringify(tally)}\n`)
