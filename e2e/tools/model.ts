import { startModel } from '../../proxy/demo/model.ts'
import { demoScript, lastText } from '../../proxy/demo/script.ts'

/**
 * A model server that no injector knows: all addresses at port 8000, unless HOST and PORT say otherwise. "count to N" makes an
 * answer of N pieces, one every PACE_MS, "which model are you?" the name that was asked for; everything else is answered as the demo
 * model does.
 */
const model = await startModel({
  host: process.env.HOST ?? '0.0.0.0',
  port: Number(process.env.PORT ?? 8000),
  paceMs: Number(process.env.PACE_MS ?? 100),
  script: (body) => {
    if (lastText(body) === 'which model are you?') return { pieces: [body.model] }
    const [, count] = /count to (\d+)/.exec(lastText(body)) ?? []
    if (!count) return demoScript(body)
    return { pieces: Array.from({ length: Number(count) }, (_, index) => `number ${index + 1}, `) }
  },
})
process.stdout.write(`model on ${model.url}\n`)
process.once('SIGTERM', () => void model.close())
