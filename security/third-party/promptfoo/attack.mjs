// Started by `postern-sec attack --with promptfoo` with the folder where promptfoo is installed and an empty one to work in.
// Lets the red team of promptfoo disguise every attack of promptfooconfig.yaml by the strategies below, which need neither a model nor
// its cloud, and evaluates all of them. They are judged by the assertions of that file, as the judge of its own red team is a model.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const STRATEGIES = [
  ...[
    'base64',
    'camelcase',
    'emoji',
    'hex',
    'homoglyph',
    'jailbreak-templates',
    'leetspeak',
    'morse',
    'piglatin',
    'rot13',
  ],
  { id: 'layer', config: { steps: ['leetspeak', 'base64'] } },
  { id: 'layer', config: { steps: ['jailbreak-templates', 'rot13'] } },
]

const [, , folder, work] = process.argv
const yaml = createRequire(join(folder, 'node_modules/'))('js-yaml')
const at = (name) => join(work, name)
const promptfoo = (...args) =>
  spawnSync(
    process.execPath,
    [join(folder, 'node_modules/.bin/promptfoo'), ...args, '--no-cache', '--no-progress-bar'],
    {
      stdio: 'inherit',
      cwd: work,
    },
  ).status ?? 1

const config = yaml.load(readFileSync(join(import.meta.dirname, 'promptfooconfig.yaml'), 'utf8'))
const attacks = config.tests.filter(({ metadata }) => metadata.family !== 'benign')
const isLayered = ({ metadata }) => !familyOf.has(metadata.originalText)
const familyOf = new Map(attacks.map(({ vars, metadata }) => [vars.attack, metadata.family]))

// Where promptfoo would ask a model what an attack is after. Without an answer it goes on.
writeFileSync(
  at('nobody.mjs'),
  "export default class { id() { return 'nobody' } async callApi() { return { output: '[]' } } }\n",
)
const redteam = {
  injectVar: 'attack',
  purpose: 'Answers questions about a shop.',
  provider: 'file://nobody.mjs',
  plugins: [{ id: 'intent', config: { intent: [...familyOf.keys()] } }],
  strategies: STRATEGIES,
}
writeFileSync(
  at('redteam.json'),
  JSON.stringify({ targets: config.providers, prompts: config.prompts, redteam }),
)
const generated =
  promptfoo(
    'redteam',
    'generate',
    '--config',
    at('redteam.json'),
    '--output',
    at('redteam.yaml'),
    '--force',
  ) === 0

// What the last of several steps began with was made by another attack, or stands in a template.
const made = new Map([...familyOf].map(([text, family]) => [text, { family, mutator: '' }]))
const origin = (text) =>
  made.get(text) ??
  [...familyOf].flatMap(([attack, family]) =>
    text.includes(attack) ? [{ family, mutator: 'jailbreak-templates' }] : [],
  )[0] ?? { family: 'other', mutator: 'unknown' }
const disguise = ({ vars, metadata: { originalText, strategyId } }) => {
  const { family, mutator } = origin(originalText)
  const metadata = { family, mutator: mutator === '' ? strategyId : `${mutator}, ${strategyId}` }
  made.set(vars.attack, metadata)
  return { vars: { attack: vars.attack }, metadata }
}
const disguised = generated
  ? yaml
      .load(readFileSync(at('redteam.yaml'), 'utf8'))
      .tests.filter(({ metadata }) => metadata.strategyId !== undefined)
      .toSorted((a, b) => Number(isLayered(a)) - Number(isLayered(b)))
      .map(disguise)
  : []
writeFileSync(at('tests.json'), JSON.stringify({ ...config, tests: [...config.tests, ...disguised] }))
const code = promptfoo(
  'eval',
  '--config',
  at('tests.json'),
  '--output',
  at('report.json'),
  '--no-table',
  '--no-share',
  '--no-write',
)
if (!generated || disguised.length === 0)
  console.error('the red team of promptfoo made no attacks; only those of the file were sent')
process.exitCode = generated && disguised.length > 0 ? code : 3
