import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Command, Io } from '../command.ts'
import { table } from '../pipeline/step.ts'
import { readExceptions, type Exception } from './exceptions.ts'
import { unused } from './judge.ts'
import { scanSarif, type Place } from './sarif.ts'
import { scan, type ImageToScan, type ScanOptions } from './scan.ts'
import type { Severity } from './vulnerability.ts'

const HELP = `usage: postern-sec scan [options]

Known weaknesses and licences of what is shipped: the packages of an npm lock file (osv-scanner, else npm audit), and container
images (grype; offline osv-scanner, else grype). Bills of materials by npm and syft. A scanner that is missing is a skip, by name.

  --lock FILE            package-lock.json
  --image NAME[=RECIPE]  an image, a file made by docker save, a folder with an OCI layout, or dir: and a folder with installed
                         packages; and what it is built from (Dockerfile); may be repeated
  --severity LEVEL       fails from low, medium, high or critical (high); what nobody rated counts as high
  --unfixed              what nobody has fixed yet fails too
  --dev                  packages that are not shipped fail too (osv-scanner only)
  --exceptions FILE      weaknesses that pass for a time, each with reason and last day
  --sarif FILE           for code scanning
  --bom FOLDER           CycloneDX bills of materials
  --offline              databases on this machine only
  --complete             what was not looked at fails too

exit codes
  0  nothing failed     1  something failed     2  wrong usage
`

const EXCEPTIONS = resolve(import.meta.dirname, '../../vulnerability-exceptions.yaml')

export const command: Command = {
  summary: 'known weaknesses and licences of packages and images, bills of materials',
  run: async (args, io) => {
    if (args.includes('--help') || args.includes('-h')) {
      io.out(HELP)
      return 0
    }
    try {
      return await run(readArgs(args), io)
    } catch (error) {
      io.err(`postern-sec scan: ${error instanceof Error ? error.message : 'wrong usage'}\n`)
      return 2
    }
  },
}

interface Options extends ScanOptions {
  readonly sarif: string | undefined
}

const readArgs = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      lock: { type: 'string', default: 'package-lock.json' },
      image: { type: 'string', multiple: true, default: [] },
      severity: { type: 'string', default: 'high' },
      unfixed: { type: 'boolean', default: false },
      dev: { type: 'boolean', default: false },
      exceptions: { type: 'string', default: EXCEPTIONS },
      sarif: { type: 'string' },
      bom: { type: 'string' },
      offline: { type: 'boolean', default: false },
      complete: { type: 'boolean', default: false },
    },
  })
  if (!isSeverity(values.severity)) throw new RangeError('--severity takes low, medium, high or critical')
  if (!existsSync(values.lock)) throw new RangeError(`there is no ${values.lock}; name one with --lock`)
  const today = new Date()
  return {
    lock: values.lock,
    images: values.image.map(imageOf),
    rules: {
      exceptions: readExceptions(values.exceptions, today),
      today,
      limit: values.severity,
      unfixed: values.unfixed,
      development: values.dev,
    },
    bomFolder: values.bom,
    offline: values.offline,
    complete: values.complete,
    sarif: values.sarif,
  }
}

const isSeverity = (word: string): word is Severity => ['low', 'medium', 'high', 'critical'].includes(word)

const imageOf = (text: string): ImageToScan => {
  const [image = '', recipe = 'Dockerfile'] = text.split('=')
  if (image === '' || image.startsWith('-')) throw new RangeError('--image takes the name of an image')
  if (!existsSync(recipe))
    throw new RangeError(`there is no ${recipe}; name what ${image} is built from: NAME=RECIPE`)
  return { image, recipe }
}

const run = async ({ sarif, ...options }: Options, io: Io): Promise<number> => {
  const { outcomes, places, vulnerabilities } = await scan(options)
  for (const place of places) io.out(shown(place))
  // The lock file, its licences and every image: what nobody looked at may hold what an exception is for.
  const whole = places.length === 2 + options.images.length
  const idle = whole ? unused(options.rules.exceptions, vulnerabilities) : []
  for (const each of idle) io.out(unusedLine(each))
  io.out(table(outcomes))
  if (sarif !== undefined) writeFileSync(sarif, scanSarif(places))
  return outcomes.some(({ result }) => result === 'failed') ? 1 : 0
}

const shown = ({ file, judged, unlicensed }: Place): string =>
  [
    ...judged.map(
      ({ vulnerability: { id, package: name, version, severity, fixedIn }, fails, note }) =>
        `${file}: ${fails ? 'FAILS' : 'passes'}: ${severity} ${id} in ${name} ${version}; fixed in ${fixedIn.join(', ') || 'nothing yet'}${note && `; ${note}`}\n`,
    ),
    ...unlicensed.map(
      ({ package: name, version, licence }) =>
        `${file}: FAILS: ${name} ${version} has ${licence === '' ? 'no licence' : `the licence ${licence}`}\n`,
    ),
  ].join('')

const unusedLine = ({ id, until }: Exception): string =>
  `the exception for ${id} until ${until} covers nothing any more; remove it\n`
