import { connect } from 'node:net'

/** `reach.ts HOST PORT`: whether a TCP connection can be made, as one word. */
const socket = connect({ host: process.argv[2] ?? '', port: Number(process.argv[3]), timeout: 3000 })
const say = (word: string): void => {
  process.stdout.write(`${word}\n`)
  socket.destroy()
}
socket.once('connect', () => say('open'))
socket.once('timeout', () => say('silent'))
socket.once('error', (cause: NodeJS.ErrnoException) => say(cause.code ?? 'error'))
