import { connect } from 'node:net'

/** `reach.ts HOST PORT ...`: whether TCP connections can be made, all at once; a line with one word for each. */
const reach = (host: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 })
    const say = (word: string): void => {
      resolve(word)
      socket.destroy()
    }
    socket.once('connect', () => say('open'))
    socket.once('timeout', () => say('silent'))
    socket.once('error', (cause: NodeJS.ErrnoException) => say(cause.code ?? 'error'))
  })

const places = process.argv.slice(2)
const words: Promise<string>[] = []
for (let at = 0; at < places.length; at += 2) words.push(reach(places[at] ?? '', Number(places[at + 1])))
process.stdout.write(`${(await Promise.all(words)).join('\n')}\n`)
