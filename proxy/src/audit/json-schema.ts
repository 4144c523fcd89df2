import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { auditLine } from './schema.ts'

/** JSON Schema (draft-07) of one line of the audit log. */
export const auditJsonSchema = (): Readonly<Record<string, unknown>> => ({
  ...z.toJSONSchema(auditLine, { target: 'draft-7' }),
  title: 'A line of the audit log of Postern',
})

/** `--write` brings proxy/audit.schema.json up to date; `--check` exits with 1 when it is not. */
const main = (mode: string | undefined): number => {
  const file = fileURLToPath(new URL('../../audit.schema.json', import.meta.url))
  const text = `${JSON.stringify(auditJsonSchema(), null, 2)}\n`
  if (mode === '--write') writeFileSync(file, text)
  else if (readOrNothing(file) !== text) {
    process.stderr.write(
      'proxy/audit.schema.json is stale: run node proxy/src/audit/json-schema.ts --write\n',
    )
    return 1
  }
  return 0
}

const readOrNothing = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv[2])
