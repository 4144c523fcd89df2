// Builds the policy bundle that the guard embeds, and bundles of your own. `node policies/build.mjs --help` explains.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
// the package does not export this file
const SDK_CAPABILITIES = join(
  dirname(createRequire(import.meta.url).resolve('@open-policy-agent/opa-wasm')),
  '../capabilities.json',
)
const GENERATED = join(here, '../proxy/src/policy/generated')
const CAPABILITIES = join(here, 'generated/capabilities.json')
const ENTRYPOINTS = ['postern/decision', 'postern/limits']
const ROOTS = ['postern', 'roles', 'tenants', 'tools', 'model_routes', 'actions', 'limits', 'hosts']

const HELP = `Usage: node policies/build.mjs [--check | --bundle FILE [--rego] [--source DIR]]

  (nothing)      builds proxy/src/policy/generated from the policies beside this file
  --check        says whether that is up to date; exit code 1 when not. Without OPA it compares digests,
                 with the OPA version that built it also the bytes of a fresh build
  --bundle FILE  writes a bundle (.tar.gz) that the guard runs by itself
  --rego         makes that a bundle for an OPA server, which runs Rego and, as usually built, no Wasm
  --source DIR   takes the policies from DIR, which has data.json and postern/ as policies/ has

OPA is looked for on PATH, in $GOPATH/bin and in ~/go/bin.
To get it: go install github.com/open-policy-agent/opa@v1.22.2`

const sha256 = (...parts) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')

const opaPath = () => {
  const places = [
    ...(process.env.PATH ?? '').split(':'),
    join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin'),
    join(homedir(), 'go/bin'),
  ]
  return places.map((place) => join(place, 'opa')).find((path) => existsSync(path))
}

const opaVersion = (opa) => /^Version: (\S+)/m.exec(execFileSync(opa, ['version'], { encoding: 'utf8' }))?.[1]

/** Policy and data, without tests: relative path (with `/`) and bytes, sorted by path. */
const sources = (root) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(
      (path) =>
        path === 'data.json' ||
        (path.startsWith('postern/') && path.endsWith('.rego') && !path.endsWith('_test.rego')),
    )
    .sort()
    .map((path) => ({ path, bytes: readFileSync(join(root, path)) }))

/** Names the policy in every audit record: equal sources have equal revisions, wherever they are built. */
const revisionOf = (files) =>
  sha256(...files.flatMap(({ path, bytes }) => [`${path}\0${bytes.length}\0`, bytes])).slice(0, 16)

/** OPA's builtins that the Wasm SDK has too: with any other the build fails, not the guard. */
const capabilities = (opa) => {
  const own = JSON.parse(
    execFileSync(opa, ['capabilities', '--current'], { encoding: 'utf8', maxBuffer: 1 << 26 }),
  )
  const sdk = JSON.parse(readFileSync(SDK_CAPABILITIES, 'utf8'))
  const has = new Set(sdk.builtins.map(({ name }) => name))
  return {
    builtins: own.builtins.filter(({ name }) => has.has(name)),
    wasm_abi_versions: sdk.wasm_abi_versions,
    features: ['rego_v1'],
  }
}

const build = (opa, root, target) => {
  const files = sources(root)
  const stage = mkdtempSync(join(tmpdir(), 'postern-policies-'))
  try {
    for (const { path, bytes } of files) {
      mkdirSync(dirname(join(stage, 'in', path)), { recursive: true })
      writeFileSync(join(stage, 'in', path), bytes)
    }
    const revision = revisionOf(files)
    writeFileSync(join(stage, 'in/.manifest'), JSON.stringify({ revision, roots: ROOTS }))
    const allowed = `${JSON.stringify(capabilities(opa), null, 2)}\n`
    writeFileSync(join(stage, 'capabilities.json'), allowed)
    const entrypoints = ENTRYPOINTS.flatMap((name) => ['-e', name])
    const out = join(stage, 'bundle.tar.gz')
    execFileSync(
      opa,
      ['build', '-t', target, ...entrypoints, '--capabilities', '../capabilities.json', '-b', '.', '-o', out],
      { cwd: join(stage, 'in'), stdio: ['ignore', 'inherit', 'inherit'] },
    )
    if (target === 'rego') return { revision, bundle: readFileSync(out) }
    const member = (name) => execFileSync('tar', ['-xzOPf', out, name], { maxBuffer: 1 << 26 })
    return {
      revision,
      capabilities: allowed,
      bundle: readFileSync(out),
      wasm: member('/policy.wasm'),
      data: member('/data.json'),
    }
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

const manifestOf = ({ revision, wasm, data, capabilities: allowed }, version) => ({
  revision,
  entrypoints: ENTRYPOINTS,
  opa: version,
  sha256: { 'policy.wasm': sha256(wasm), 'data.json': sha256(data), 'capabilities.json': sha256(allowed) },
})

const outputs = (built, version) => [
  [join(GENERATED, 'policy.wasm'), built.wasm],
  [join(GENERATED, 'data.json'), built.data],
  [join(GENERATED, 'manifest.json'), Buffer.from(`${JSON.stringify(manifestOf(built, version), null, 2)}\n`)],
  [CAPABILITIES, Buffer.from(built.capabilities)],
]

/** What is wrong, in words; empty when nothing is. */
const stale = (opa) => {
  const manifest = JSON.parse(readFileSync(join(GENERATED, 'manifest.json'), 'utf8'))
  const digest = (path) => (existsSync(path) ? sha256(readFileSync(path)) : 'missing')
  const changed = Object.entries(manifest.sha256)
    .filter(
      ([name, expected]) =>
        digest(name === 'capabilities.json' ? CAPABILITIES : join(GENERATED, name)) !== expected,
    )
    .map(([name]) => `${name} was changed by hand`)
  if (manifest.revision !== revisionOf(sources(here)))
    return ['the policies changed since the bundle was built', ...changed]
  if (changed.length > 0 || opa === undefined) return changed
  const version = opaVersion(opa)
  if (version !== manifest.opa) {
    console.log(`bytes not compared: this is OPA ${version}, the bundle was built by ${manifest.opa}`)
    return []
  }
  return outputs(build(opa, here, 'wasm'), version)
    .filter(([path, bytes]) => !readFileSync(path).equals(bytes))
    .map(([path]) => `${relative(process.cwd(), path)} differs from a fresh build`)
}

/** A misspelt key in policy data would be a rule that never applies. */
const checkData = async (root) => {
  const { Ajv } = await import('ajv')
  const ajv = new Ajv({ allErrors: true })
  const schema = (path) => JSON.parse(readFileSync(join(here, 'schemas', path), 'utf8'))
  for (const name of readdirSync(join(here, 'schemas/data')))
    ajv.addSchema(schema(`data/${name}`), `data/${name}`)
  const valid = ajv.compile(schema('policy_data.json'))
  if (valid(JSON.parse(readFileSync(join(root, 'data.json'), 'utf8')))) return
  fail(
    ...valid.errors.map(
      ({ instancePath, message, params }) =>
        `data.json ${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
    ),
  )
}

const fail = (...lines) => {
  for (const line of lines) console.error(line)
  process.exit(1)
}

const given = () => {
  try {
    return parseArgs({
      options: {
        check: { type: 'boolean' },
        bundle: { type: 'string' },
        rego: { type: 'boolean' },
        source: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    return fail(error.message, '', HELP)
  }
}

const values = given()
if (values.bundle === undefined && (values.rego || values.source !== undefined))
  fail('--rego and --source belong to --bundle FILE.', '', HELP)
if (values.source !== undefined && !existsSync(join(values.source, 'data.json')))
  fail(`${values.source} has no data.json; give a copy of policies/, which has data.json and postern/.`)
const opa = opaPath()

if (values.help) {
  console.log(HELP)
} else if (values.check) {
  const problems = stale(opa)
  if (problems.length > 0) fail(...problems, 'Run: node policies/build.mjs')
  console.log(
    `policy bundle is up to date${opa === undefined ? ' (by digest; no OPA found to build it again)' : ''}`,
  )
} else if (opa === undefined) {
  fail(
    'OPA is needed to build and was not found.',
    'To get it: go install github.com/open-policy-agent/opa@v1.22.2',
  )
} else if (values.bundle !== undefined) {
  const source = resolve(values.source ?? here)
  await checkData(source)
  const { revision, bundle } = build(opa, source, values.rego ? 'rego' : 'wasm')
  writeFileSync(values.bundle, bundle)
  console.log(`${values.bundle}: revision ${revision}`)
} else {
  await checkData(here)
  const built = build(opa, here, 'wasm')
  mkdirSync(GENERATED, { recursive: true })
  for (const [path, bytes] of outputs(built, opaVersion(opa))) writeFileSync(path, bytes)
  console.log(`revision ${built.revision}, ${built.wasm.length} bytes of Wasm`)
}
