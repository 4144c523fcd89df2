import { writeSync } from 'node:fs'
import { fileAudit } from './file.ts'
import { beginOf, fileOptions, quiet, recordOf } from './samples.ts'

// Run by the tests in a process of its own, to be killed: writes under load and tells on standard output what was promised.
const [path = '', workers = '4'] = process.argv.slice(2)
const log = await fileAudit(fileOptions(path, { maxBytes: 200_000 }), quiet)
const prefix = String(process.pid)
let n = 0

const work = async (): Promise<void> => {
  for (;;) {
    const id = `${prefix}-${String(n++)}`
    try {
      await log.begin(beginOf(id))
      writeSync(1, `begun ${id}\n`)
      await log.end(recordOf(id))
      writeSync(1, `ended ${id}\n`)
    } catch {
      writeSync(1, 'refused\n')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

writeSync(1, 'ready\n')
await Promise.all(Array.from({ length: Number(workers) }, work))
