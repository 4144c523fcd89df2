import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Threat {
  readonly id: string
  readonly title: string
  readonly owasp?: string
  readonly atlas?: readonly string[]
  readonly stride?: string
  readonly control: string
  readonly test: { readonly file: string; readonly title: string }
  readonly remains: string
}

interface ThreatModel {
  readonly threats: readonly Threat[]
  readonly elsewhere: Readonly<Record<string, string>>
}

const FILE = new URL('../threats/threats.yaml', import.meta.url)

export const readThreats = (): ThreatModel => parse(readFileSync(FILE, 'utf8')) as ThreatModel

/** The threat model for people: `node security/src/threats.ts > security/threats/README.md` after a change. */
export const renderThreats = ({ threats, elsewhere }: ThreatModel): string => {
  const names = ({ owasp, atlas = [], stride }: Threat): string =>
    [owasp, ...atlas, stride].filter((name) => name !== undefined).join(', ')
  const rows = threats.map((threat) =>
    [
      threat.title,
      names(threat),
      `[${threat.control}](../../${threat.control})`,
      `[${threat.test.file}](../../${threat.test.file}): ${threat.test.title}`,
      threat.remains,
    ].join(' | '),
  )
  return [
    '# Threat model',
    '',
    'Made from [threats.yaml](threats.yaml); a test checks that every control and every test named here exists.',
    '',
    '| threat | names | control | test that proves it | what remains |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
    '',
    '## Elsewhere',
    '',
    ...Object.entries(elsewhere).map(([name, text]) => `- ${name}: ${text}`),
    '',
  ].join('\n')
}

if (import.meta.main) process.stdout.write(renderThreats(readThreats()))
