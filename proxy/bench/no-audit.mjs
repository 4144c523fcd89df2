// The guard without its record, which no configuration allows: what the audit costs is measured against it.
// node --import ./proxy/bench/no-audit.mjs proxy/dist/cli.js …
import { registerHooks } from 'node:module'

const NOTHING = `
const nothing = { begin: async () => {}, end: async () => {}, respond: async () => {}, judge: async () => {}, unready: () => undefined, close: async () => {} }
export const fileAudit = async () => nothing
export const auditLogOver = () => nothing
`

registerHooks({
  load: (url, context, next) =>
    url.endsWith('/dist/audit/file.js')
      ? { format: 'module', source: NOTHING, shortCircuit: true }
      : next(url, context),
})
