import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { Ajv } from 'ajv'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { startModel, type DemoModel } from '../demo/model.ts'
import { refusals } from '../src/core/refusal.ts'
import {
  anchorsOf,
  blocksOf,
  commandsOf,
  documents,
  inlineCodeOf,
  linksOf,
  ROOT,
  textOf,
  type Block,
} from './docs.ts'

const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8')
/** Of the command line, as its overview lists them. */
const commands = [
  ...[
    ...readFileSync(join(ROOT, 'proxy/src/cli.ts'), 'utf8').matchAll(
      /^ {2}(\w+): \{\n {4}summary|^ {2}(\w+): \{ summary/gm,
    ),
  ].map(([, one, other]) => one ?? other ?? ''),
  '--version',
  '',
]
const targets = [...makefile.matchAll(/^([a-z][a-z0-9-]*):/gm)].map(([, name = '']) => name)
const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts
const blocks = documents.flatMap(blocksOf)
const path = [join(ROOT, 'node_modules/.bin'), process.env['PATH'], join(homedir(), 'go/bin')].join(delimiter)
const has = (program: string): boolean =>
  path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)))

/** Not needed to use or to change the guard, so its absence is a skip even where everything else must be there. */
const OPTIONAL = ['regal']
const inCi = process.env['CI'] === 'true'
/** What a block needs beside Node: `opa` builds bundles too. */
const programOf = (text: string): string | undefined => {
  const builds = text.startsWith('node policies/build.mjs') && !text.includes('--check')
  return /^\s*(opa|regal)\b/.exec(text)?.[1] ?? (builds || text.includes('bundle: ') ? 'opa' : undefined)
}

/** Where that program is missing, a skip that names it; in CI a failure. */
const testOf = (text: string): { readonly run: typeof test | typeof test.skip; readonly why: string } => {
  const program = programOf(text)
  if (program === undefined || has(program)) return { run: test, why: '' }
  return {
    run: inCi && !OPTIONAL.includes(program) ? test : test.skip,
    why: ` (there is no ${program} here)`,
  }
}

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: chat }
spec:
  selector: { matchLabels: { app: chat } }
  template:
    metadata: { labels: { app: chat, postern.dev/inject: 'true' } }
    spec: { containers: [{ name: vllm, image: 'vllm/vllm-openai:v0.11.0', ports: [{ containerPort: 8000 }] }] }
`

/** A copy of the checkout, a model server for it, and what the commands so far have made. */
let work: string
let model: DemoModel
const running: ChildProcess[] = []
const seen = { key: '', hash: '', guard: '', exports: '' }

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'postern-docs-'))
  const skipped = new Set(['node_modules', '.git', 'dist', 'coverage', '.cache'])
  cpSync(ROOT, work, { recursive: true, filter: (from) => from === ROOT || !skipped.has(basename(from)) })
  symlinkSync(join(ROOT, 'node_modules'), join(work, 'node_modules'))
  mkdirSync(join(work, 'run'))
  writeFileSync(join(work, 'deployment.yaml'), DEPLOYMENT)
  model = await startModel()
})
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await model.close()
  rmSync(work, { recursive: true, force: true })
})

/** What a document leaves open, filled in; fixed addresses become those of this test. */
const filledIn = (text: string): string =>
  text
    .replaceAll('sha256:…', seen.hash)
    .replaceAll('pk-…', seen.key)
    .replaceAll('http://127.0.0.1:8080', seen.guard)
    .replaceAll('http://127.0.0.1:8000', model.url)
    .replaceAll('/run/opa/', join(work, 'run/'))

/** Runs beside this process, whose model server must go on answering. */
const output = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((done, fail) => {
    const options = {
      cwd: work,
      timeout: 120_000,
      env: { ...process.env, PATH: path, NODE_OPTIONS: '', NO_COLOR: '1' },
    }
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) fail(new Error(`${error.message}\n${stdout}\n${stderr}`))
      else done(stdout)
    })
  })

const bash = (command: string): Promise<string> =>
  output('bash', ['-euo', 'pipefail', '-c', seen.exports + filledIn(command)])

/** Starts a command that stays, and waits until it says that it is there. */
const started = async (command: string, ready: RegExp): Promise<string> => {
  const child = spawn('bash', ['-c', `${seen.exports}exec ${filledIn(command)}`], {
    cwd: work,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: path, NODE_OPTIONS: '' },
  })
  running.push(child)
  let said = ''
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
  for (const until = Date.now() + 60_000; Date.now() < until;) {
    if (ready.test(said)) return said
    if (child.exitCode !== null) break
    await new Promise((done) => setTimeout(done, 20))
  }
  throw new Error(`${command} did not start:\n${said}`)
}

/** Runs one command of a document as its reader would, and looks at what it is for. */
const run = async (command: string): Promise<void> => {
  const makeTarget = /^make ([a-z0-9-]+)/.exec(command)?.[1]
  if (makeTarget !== undefined) {
    expect(targets).toContain(makeTarget)
    return
  }
  if (/^(?:kubectl|helm install) /.test(command)) {
    // They need a cluster: e2e/full/documents.test.ts runs those of charts/docs, with names instead of what is open here.
    const named = command.replaceAll('NAMESPACE', 'chat').replaceAll('MODEL', 'assistant')
    expect(textOf('charts/docs/install.md')).toContain(named)
    return
  }
  // They need a desk: respond-command.test.ts runs them at one.
  if (command.startsWith('postern respond ')) return
  const script = /^npm run (\w+) -- (\S+)/.exec(command)
  if (script) {
    expect(scripts).toHaveProperty(script[1] ?? '')
    expect(existsSync(join(ROOT, script[2] ?? ''))).toBe(true)
    return
  }
  if (command.startsWith('export ')) {
    await bash(command)
    seen.exports += `${command}\n`
  } else if (command.startsWith('postern token key')) {
    const [, key = '', hash = ''] = /key: +(\S+)\nhash: +(\S+)/.exec(await bash(command)) ?? []
    Object.assign(seen, { key, hash })
    expect(hash).toMatch(/^sha256:/)
  } else if (command.startsWith('postern serve')) {
    const said = await started(command, /"event":"serving"/)
    seen.guard = `http://127.0.0.1:${/"port":(\d+)/.exec(said)?.[1] ?? ''}`
  } else if (command.startsWith('opa run')) await started(command, /Initializing server/)
  else if (command.startsWith('curl')) expect(JSON.parse(await bash(command))).toHaveProperty('choices')
  else await bash(command)
}

/** A part of a configuration becomes a whole one; ports are left to the system. */
const wholeConfig = (text: string): string => {
  const free = 'server: { listen: { host: 127.0.0.1, port: 0 } }\nadmin: { port: 0 }\n'
  const rest = `identity: { anonymous: { roles: [user] } }\nupstreams: [{ name: demo, url: '${model.url}' }]\nmodels: [{ name: m, targets: [{ upstream: demo }] }]\n`
  return `${filledIn(text)}\n${free}${/^upstreams:/m.test(text) ? '' : rest}`
}

/** Files that an example names and its reader is to make. */
const madeByTheReader: Readonly<Record<string, string>> = {
  'keys.yaml': '[]\n',
  'my-data.json': readFileSync(join(ROOT, 'policies/data.json'), 'utf8'),
}

const checkConfig = async (block: Block): Promise<void> => {
  const whole = /^upstreams:/m.test(block.text)
  const file = whole ? 'postern.yaml' : 'part.yaml'
  for (const [name, text] of Object.entries(madeByTheReader)) {
    if (!existsSync(join(work, name))) writeFileSync(join(work, name), text)
  }
  writeFileSync(join(work, file), wholeConfig(block.text))
  expect(await bash(`postern check ${file}`)).toContain(`${file} is good`)
}

/** What makes a client, followed by a question to the model through it. */
const runClient = async (block: Block): Promise<void> => {
  const file = join(work, 'client.ts')
  const messages = "messages: [{ role: 'user', content: 'Hello' }]"
  writeFileSync(
    file,
    `${filledIn(block.text)}
const one = await openai.chat.completions.create({ model: 'my-model', ${messages} })
const two = await anthropic.messages.create({ model: 'my-model', max_tokens: 100, ${messages} })
process.stdout.write(JSON.stringify([one.choices[0]?.message.content, two.content]))
`,
  )
  const [one, two] = JSON.parse(await output('node', [file])) as unknown[]
  expect(one).toContain('Hello')
  expect(JSON.stringify(two)).toContain('Hello')
}

const addPolicy = (block: Block): void => {
  const file = /^`(postern\/\S+\.rego)`:$/.exec(block.above)?.[1]
  if (file === undefined) throw new Error('the line above a policy must name its file')
  mkdirSync(dirname(join(work, 'policies', file)), { recursive: true })
  writeFileSync(join(work, 'policies', file), `${block.text}\n`)
}

const schemaOf = (value: object): string => {
  if ('stage' in value) return 'input'
  return 'allow' in value ? 'answer' : 'limits_answer'
}

const checkJson = ({ doc, text }: Block): void => {
  const whole = text.startsWith('{')
  // Shortened for print.
  if (text.includes('…')) {
    expect(doc).toBe('proxy/docs/audit.md')
    return
  }
  const value = JSON.parse(whole ? text : `{${text}}`) as object
  if (!whole) return
  const schema = JSON.parse(readFileSync(join(ROOT, `policies/schemas/${schemaOf(value)}.json`), 'utf8')) as {
    $schema?: string
  }
  delete schema.$schema
  const validate = new Ajv({ strict: false }).compile(schema)
  expect([validate(value), validate.errors]).toEqual([true, null])
  if ('stage' in value) writeFileSync(join(work, 'input.json'), text)
}

/** Its first line, without the comment. */
const titleOf = (command: string): string => (command.split('\n')[0] ?? '').replace(/ +#.*$/, '')

describe.each(documents)('%s', (doc) => {
  // The reader of a command has read the whole page, and what it says of inputs stands below.
  const own = blocks.filter((block) => block.doc === doc)
  const ordered = [...own.filter(({ lang }) => lang === 'json'), ...own.filter(({ lang }) => lang !== 'json')]
  for (const block of ordered) {
    const place = `${doc}:${block.line}`
    if (block.lang === 'sh' || block.lang === 'console') {
      for (const { line, text } of commandsOf(block)) {
        const { run: testIt, why } = testOf(text)
        testIt(`the command at ${doc}:${line} works${why}: ${titleOf(text)}`, () => run(text), 180_000)
      }
    } else if (block.lang === 'yaml') {
      const { run: testIt, why } = testOf(block.text.split('\n').find((line) => !line.startsWith('#')) ?? '')
      testIt(`the configuration at ${place} is good${why}`, () => checkConfig(block), 60_000)
    } else if (block.lang === 'ts') test(`the program at ${place} runs`, () => runClient(block), 60_000)
    else if (block.lang === 'rego') {
      const { run: testIt, why } = testOf('opa test')
      testIt(`the policy at ${place} is tested with the others${why}`, () => addPolicy(block))
    } else if (block.lang === 'json')
      test(`the JSON at ${place} is what its schema says`, () => checkJson(block))
    else test(`the block at ${place} is a listing, not a command`, () => expect(block.lang).toBe(''))
  }

  test('links only to what is there', () => {
    const broken = linksOf(doc).filter(
      ({ file, anchor }) =>
        file !== undefined &&
        (!existsSync(file) ||
          (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor))),
    )
    expect(broken.map(({ target }) => target)).toEqual([])
  })

  test('names only commands, targets and files that exist', () => {
    const unknown = inlineCodeOf(doc).filter((code) => {
      const [program = '', argument = ''] = code.split(' ')
      if (program === 'make') return !targets.includes(argument)
      if (program === 'node') return !existsSync(join(ROOT, argument))
      if (program === 'postern') return !commands.includes(argument)
      return false
    })
    expect(unknown).toEqual([])
  })
})

describe('Makefile', () => {
  test('says in one line what each target is for', () => {
    const help = execFileSync('make', ['help'], { cwd: ROOT, encoding: 'utf8' })
    for (const target of targets) expect(help).toMatch(new RegExp(`^  make ${target} +\\S`, 'm'))
    expect(targets).toEqual(expect.arrayContaining(['demo', 'test', 'run', 'bench']))
  })
})

describe('the table of refusals in README.md', () => {
  test('has every code that a client can see', () => {
    const table = textOf('README.md')
      .split('\n')
      .filter((line) => /^\| (\d|4xx)/.test(line))
    const missing = Object.entries(refusals)
      .map(([code, { status }]) => ({ code: code === 'content_blocked' ? 'content_filter' : code, status }))
      .filter(({ code }) => code !== 'client_gone')
      .filter(({ code, status }) => {
        const rows = table.filter((row) => row.includes(`\`${code}\``))
        return !rows.some((row) => row.includes(String(status)) || row.startsWith('| 4xx'))
      })
    expect(missing).toEqual([])
  })
})

describe('the container files', () => {
  test('copy and mount only what is there, and every workspace', () => {
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
      from.split(' '),
    )
    const mounted = [
      ...readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8').matchAll(/\.\/([\w/.-]+):/g),
    ].map(([, from = '']) => from)
    expect(mounted.length).toBeGreaterThan(1)
    for (const from of [...copied, ...mounted])
      expect([from, existsSync(join(ROOT, from))]).toEqual([from, true])
    const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      workspaces: string[]
    }
    expect(copied).toEqual(expect.arrayContaining(workspaces.map((name) => `${name}/package.json`)))
  })

  test('the demo model runs from its folder alone, as docker-compose.yml mounts it', () => {
    const outside = [
      ...readFileSync(join(ROOT, 'proxy/demo/serve-model.ts'), 'utf8').matchAll(/from '(\.[^']+)'/g),
    ]
    for (const [, from = ''] of outside)
      expect(relative(join(ROOT, 'proxy/demo'), join(ROOT, 'proxy/demo', from))).not.toMatch(/^\.\./)
    expect(outside.length).toBeGreaterThan(0)
  })
})
