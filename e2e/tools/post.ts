import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { authorities } from './trust.ts'

/** One POST over TLS, as JSON on stdin; one JSON line says what came back. */
const { url, headers, body } = JSON.parse(readFileSync(0, 'utf8')) as {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
}
const say = (answer: object): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
const asked = request(
  url,
  { method: 'POST', headers, ca: authorities(), timeout: 20_000, agent: false },
  (answer) => {
    let text = ''
    answer
      .setEncoding('utf8')
      .on('data', (piece: string) => (text += piece))
      .on('end', () => say({ status: answer.statusCode, text }))
  },
)
asked.on('timeout', () => asked.destroy(new Error('silent')))
asked.on('error', (cause: NodeJS.ErrnoException) => say({ status: 0, text: cause.code ?? cause.message }))
asked.end(body)
