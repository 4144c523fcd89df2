import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { authorities } from './trust.ts'

/** One question over TLS with the certificate of the question, as JSON on stdin; one JSON line says what came back. */
const { url, text, cert, key, token } = JSON.parse(readFileSync(0, 'utf8')) as {
  url: string
  text: string
  cert?: string
  key?: string
  token?: string
}
const headers = {
  'content-type': 'application/json',
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
}
const say = (answer: object): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
const options = { method: 'POST', headers, cert, key, ca: authorities(), timeout: 20_000 }
const asked = request(`${url}/v1/chat/completions`, options, (answer) => {
  let body = ''
  answer
    .setEncoding('utf8')
    .on('data', (piece: string) => (body += piece))
    .on('end', () => say({ status: answer.statusCode, body }))
})
asked.on('error', (cause: NodeJS.ErrnoException) => say({ status: 0, error: cause.code ?? cause.message }))
asked.end(JSON.stringify({ model: 'demo-small', messages: [{ role: 'user', content: text }] }))
