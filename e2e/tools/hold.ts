import { connect } from 'node:net'

/**
 * `hold.ts HOST PORT`: keeps one TCP connection and asks a guard on it, without a credential, every 200 ms. A line for each change of what
 * comes back: a status, `silent` after 3 s without an answer, and at last `ended` or the code of an error.
 */
const [, , host = '', port] = process.argv
const QUESTION = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`
const SILENT_MS = 3000
let last = ''
const say = (word: string): void => {
  if (word !== last) process.stdout.write(`${word}\n`)
  last = word
}
const leave = (word: string): void => {
  say(word)
  process.exit(0)
}
const ask = (): void => {
  socket.write(QUESTION)
}
const socket = connect({ host, port: Number(port) }, ask)
socket.setTimeout(SILENT_MS, () => say('silent'))
socket.setEncoding('latin1')
let seen = ''
socket.on('data', (text: string) => {
  seen += text
  // Every answer has a body of one JSON object, which ends it.
  const [, status] = /^HTTP\/1\.1 (\d{3}) [^]*\}\s*$/.exec(seen) ?? []
  if (status === undefined) return
  say(status)
  seen = ''
  setTimeout(ask, 200)
})
socket.once('end', () => leave('ended'))
socket.once('error', (cause: NodeJS.ErrnoException) => leave(cause.code ?? 'error'))
process.stdin.resume().once('end', () => process.exit(0))
