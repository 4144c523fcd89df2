import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FAMILIES } from './attack.ts'

export const TOOLS = ['garak', 'promptfoo', 'pyrit', 'promptbench', 'art'] as const
export type ToolName = (typeof TOOLS)[number]

export interface AttackOptions {
  readonly target: string | undefined
  readonly bare: string | undefined
  readonly demo: boolean
  readonly model: string
  readonly keyEnv: string | undefined
  readonly bareKeyEnv: string | undefined
  readonly attacks: number
  readonly fuzz: number
  readonly seed: string
  readonly families: readonly string[]
  readonly stream: boolean
  readonly concurrency: number
  readonly timeoutMs: number
  readonly store: string
  readonly report: string | undefined
  readonly push: string | undefined
  readonly gate: string | undefined
  readonly updateBaseline: boolean
  readonly force: boolean
  readonly reason: string
  readonly tolerance: number
  readonly replay: string | undefined
  /** In the order given. */
  readonly tool: readonly ToolName[] | 'all' | undefined
  /** Of one tool at one target. */
  readonly toolTimeoutMs: number
  /** A name of the catalogue or a path. */
  readonly list: string | undefined
  readonly download: boolean
  /** Folder with one folder for each foreign tool, and one for lists. */
  readonly tools: string
}

export const HELP = `usage: postern-sec attack --target URL --model NAME [options]
       postern-sec attack --demo [options]
       postern-sec attack --replay FILE --target URL --model NAME
       postern-sec attack --list NAME|FILE --target URL --model NAME
       postern-sec attack --with garak|promptfoo|pyrit|promptbench|art|all --target URL --model NAME

Sends attacks to an OpenAI-compatible endpoint and says which worked. Attack only what you may attack.

  --target URL         the guarded endpoint, with or without /v1
  --bare URL           the same model without the guard, so that the effect of the guard is measured
  --demo               an own guard with its built-in settings before a model that obeys everything, both on loopback
  --model NAME         the model to ask for
  --key-env NAME       environment variable with the key for --target; --bare-key-env for --bare
  --attacks N          how many, at most (600)
  --fuzz N             then N more, bred from those that came furthest (0)
  --families A,B       only these: ${FAMILIES.join(', ')}
  --seed TEXT          same seed, same attacks (1)
  --stream             ask for streamed answers
  --concurrency N      requests at a time (8)     --timeout SECONDS  of one request (30)
  --store DIR          where runs are kept (.postern-sec)
  --report FILE        HTML report, one file
  --push URL           Pushgateway that takes the gauges postern_sec_*; keeps the last run of each tool and model
  --gate FILE          fail when a family or the false positives are worse than in FILE (default tolerance 0: --tolerance SHARE)
  --update-baseline    write FILE; only if nothing gets worse, else it takes --force --reason TEXT
  --replay FILE        send a worked-*.json of the store again
  --list NAME|FILE     send a public list instead: a name (--lists prints them), or a file: CSV, JSON, JSON lines, YAML, plain lines
  --lists              print the lists known by name
  --download           get a named list that is not there yet; it is used only when its SHA-256 is the pinned one
  --with TOOL,TOOL     start these tools against the target instead, and keep their results in the same store; all: those installed
  --tool-timeout S     end a tool after so many seconds, at each target, and keep what it has (900)
  --tools DIR          where tools and lists are kept, each tool in a folder of its name (~/.cache/postern-redteam)

examples
  postern-sec attack --demo --fuzz 200 --report report.html
  postern-sec attack --target http://guard:8080 --bare http://model:8000 --model chat-small --key-env GUARD_KEY --gate baseline.json

exit codes
  0  nothing got through, or the gate holds     1  something got through, or the gate fails     2  wrong usage
  3  the target cannot be reached, or a list or tool cannot be used
`

/** What the arguments say. Throws RangeError or TypeError with what to write instead. */
export const readOptions = (args: readonly string[]): AttackOptions => {
  const { values } = parseArgs({ args: [...args], options: ARGUMENTS })
  const families = values.families?.split(',') ?? [...FAMILIES]
  const stranger = families.find((family) => !FAMILIES.some((known) => known === family))
  if (stranger !== undefined)
    throw new RangeError(`--families: there is no family ${JSON.stringify(stranger)}`)
  if (!values.demo && (values.target === undefined || values.model === undefined))
    throw new RangeError('give --target and --model, or --demo')
  if ([values.with, values.list, values.replay].filter((given) => given !== undefined).length > 1)
    throw new RangeError('give one of --with, --list and --replay')
  if (values.fuzz !== '0' && (values.with ?? values.list ?? values.replay) !== undefined)
    throw new RangeError('--fuzz breeds from our own attacks only: leave out --with, --list and --replay')
  if (values.gate !== undefined && (values.with === 'all' || values.with?.includes(',')))
    throw new RangeError('--gate takes one tool: each has its own baseline')
  if (values['update-baseline'] && values.gate === undefined)
    throw new RangeError('--update-baseline needs --gate FILE')
  return {
    target: values.target,
    bare: values.bare,
    demo: values.demo,
    model: values.model ?? '',
    keyEnv: values['key-env'],
    bareKeyEnv: values['bare-key-env'],
    attacks: whole(values.attacks, 'attacks', [1, 100_000]),
    fuzz: whole(values.fuzz, 'fuzz', [0, 100_000]),
    seed: values.seed,
    families,
    stream: values.stream,
    concurrency: whole(values.concurrency, 'concurrency', [1, 256]),
    timeoutMs: 1000 * whole(values.timeout, 'timeout', [1, 3600]),
    store: values.store,
    report: values.report,
    push: values.push,
    gate: values.gate,
    updateBaseline: values['update-baseline'],
    force: values.force,
    reason: values.reason,
    tolerance: share(values.tolerance),
    replay: values.replay,
    tool: toolsOf(values.with),
    toolTimeoutMs: 1000 * whole(values['tool-timeout'], 'tool-timeout', [1, 86_400]),
    list: values.list,
    download: values.download,
    tools: values.tools ?? join(homedir(), '.cache/postern-redteam'),
  }
}

const ARGUMENTS = {
  target: { type: 'string' },
  bare: { type: 'string' },
  demo: { type: 'boolean', default: false },
  model: { type: 'string' },
  'key-env': { type: 'string' },
  'bare-key-env': { type: 'string' },
  attacks: { type: 'string', default: '600' },
  fuzz: { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  families: { type: 'string' },
  stream: { type: 'boolean', default: false },
  concurrency: { type: 'string', default: '8' },
  timeout: { type: 'string', default: '30' },
  store: { type: 'string', default: '.postern-sec' },
  report: { type: 'string' },
  push: { type: 'string' },
  gate: { type: 'string' },
  'update-baseline': { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
  reason: { type: 'string', default: '' },
  tolerance: { type: 'string', default: '0' },
  replay: { type: 'string' },
  with: { type: 'string' },
  'tool-timeout': { type: 'string', default: '900' },
  list: { type: 'string' },
  download: { type: 'boolean', default: false },
  tools: { type: 'string' },
} as const

const whole = (text: string, name: string, [least, most]: readonly [number, number]): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`--${name} takes a whole number from ${least} to ${most}`)
  return value
}

const share = (text: string): number => {
  const value = Number(text)
  if (text === '' || !(value >= 0 && value <= 1))
    throw new RangeError('--tolerance takes a share from 0 to 1')
  return value
}

const toolsOf = (names: string | undefined): readonly ToolName[] | 'all' | undefined => {
  if (names === undefined || names === 'all') return names
  return [...new Set(names.split(','))].map((name) => {
    const tool = TOOLS.find((known) => known === name)
    if (tool === undefined) throw new RangeError(`--with takes all, or some of ${TOOLS.join(', ')}`)
    return tool
  })
}
