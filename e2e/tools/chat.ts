import OpenAI, { APIError } from 'openai'
import { readFileSync } from 'node:fs'
import { trustAuthorities } from './trust.ts'

/** One question by the OpenAI SDK, as JSON on stdin; one JSON line says what came back. */
const {
  url,
  token,
  text,
  stream = false,
} = JSON.parse(readFileSync(0, 'utf8')) as {
  url: string
  token?: string
  text: string
  stream?: boolean
}
trustAuthorities()
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token ?? 'none', maxRetries: 0, timeout: 20_000 })
const headers = token === undefined ? { authorization: null } : {}
const question = { model: 'demo-small', messages: [{ role: 'user' as const, content: text }] }

const ask = async () => {
  if (!stream) {
    const answer = await client.chat.completions.create(question, { headers })
    return { text: answer.choices[0]?.message.content ?? '', finish: answer.choices[0]?.finish_reason }
  }
  let said = ''
  let finish: string | undefined
  for await (const chunk of await client.chat.completions.create(
    { ...question, stream: true },
    { headers },
  )) {
    said += chunk.choices[0]?.delta.content ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
  }
  return { text: said, finish }
}

const answer = await ask().then(
  (said) => ({ status: 200, ...said }),
  (cause: unknown) =>
    cause instanceof APIError
      ? { status: (cause.status as number | undefined) ?? 0, code: cause.code, error: cause.message }
      : { status: 0, error: String(cause) },
)
process.stdout.write(`${JSON.stringify(answer)}\n`)
