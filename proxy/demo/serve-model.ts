import { startModel } from './model.ts'

/** The demo model by itself: `HOST=127.0.0.1 node serve-model.ts PORT`; all addresses when HOST is absent. */
const host = process.env['HOST'] ?? '0.0.0.0'
const model = await startModel({ port: Number(process.argv[2] ?? 8000), host, paceMs: 20 })
process.stdout.write(`demo model on ${model.url}\n`)
process.on('SIGTERM', () => void model.close().then(() => process.exit(0)))
