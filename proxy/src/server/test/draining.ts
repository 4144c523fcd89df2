import { noLog } from '../../core/log.ts'
import { lifecycle } from '../lifecycle.ts'
import { start } from './start.ts'

// A process of its own for the signals test: a stream that lasts `STREAM_MS`, and a drain with a long deadline.
const { server, port } = await start({ drain: { graceMs: 100, deadlineMs: 20_000 } }, async ({ answer }) => {
  const stream = answer.stream(200, {})
  await stream.write('begin;')
  await new Promise((resolve) => setTimeout(resolve, Number(process.env['STREAM_MS'])))
  await stream.write('end;')
  await stream.end()
})
lifecycle({
  server,
  onDrained: () => {
    process.stdout.write('drained\n')
    return Promise.resolve()
  },
  exit: (code) => process.exit(code),
  log: noLog,
})
process.stdout.write(`${port}\n`)
