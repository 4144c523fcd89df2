import { startModel } from './model.ts'

/** The demo model by itself, for docker compose: `node serve-model.ts PORT`. */
const model = await startModel({ port: Number(process.argv[2]), host: '0.0.0.0', paceMs: 20 })
process.stdout.write(`demo model on ${model.url}\n`)
