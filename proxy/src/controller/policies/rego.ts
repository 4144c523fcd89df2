import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { JsonObject } from '../../core/json.ts'
import { readTarGz } from '../../core/tar.ts'
import { BUNDLE_ROOTS, ENTRYPOINTS } from './bundle.ts'
import type { RegoFile } from './collect.ts'
import { checkProblems, testProblems, textProblem, type StagedRego } from './opa-report.ts'
import { runOpa, type OpaResult } from './opa.ts'
import type { Problem } from './problem.ts'

export interface RegoBuild {
  readonly opa: string
  /** Folder with `postern/`, `schemas/` and `generated/capabilities.json`. */
  readonly sources: string
  readonly rego: readonly RegoFile[]
  readonly data: JsonObject
  readonly signal: AbortSignal
}

export type RegoBuilt = { readonly wasm: Uint8Array } | { readonly problems: readonly Problem[] }

/**
 * Compiles the base policies together with those of the teams, in a folder of its own that is gone afterwards. Policies may use only
 * what guards have; tests may use any builtin without a clock, a random source, the environment or the network.
 * Throws Error when OPA itself cannot do its work.
 */
export const buildRego = async (build: RegoBuild): Promise<RegoBuilt> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-policies-'))
  try {
    const staged = await stage(folder, build)
    const run = (...args: readonly string[]): Promise<OpaResult> =>
      runOpa({ opa: build.opa, args, cwd: folder, signal: build.signal })
    const problems = await findProblems(run, staged, folder)
    if (problems.length > 0) return { problems }
    const built = await run(
      ...['build', '-t', 'wasm', ...ENTRYPOINTS.flatMap((name) => ['-e', name])],
      ...['--capabilities', GUARD, '-b', PLAIN, '-o', 'bundle.tar.gz'],
    )
    if (built.code !== 0) return { problems: [textProblem(built.stderr || built.stdout, staged.files)] }
    const wasm = readTarGz(await readFile(join(folder, 'bundle.tar.gz'))).get('policy.wasm')
    if (wasm === undefined) throw new Error('opa build made no policy.wasm')
    return { wasm }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Without tests: what is built. */
const PLAIN = 'plain'
/** With tests, those of the base included, for their helpers. */
const TESTED = 'tested'
/** The builtins that guards have. */
const GUARD = 'guard.json'
/** All builtins that only compute. */
const PURE = 'pure.json'
const SCHEMAS = 'schemas'

interface Staged {
  readonly files: StagedRego
  readonly tests: boolean
}

const isTest = (path: string): boolean => path.endsWith('_test.rego')

const stage = async (folder: string, { sources, rego, data }: RegoBuild): Promise<Staged> => {
  await cp(join(sources, 'generated/capabilities.json'), join(folder, GUARD))
  await cp(join(sources, 'schemas'), join(folder, SCHEMAS), { recursive: true })
  const files = new Map<string, RegoFile>()
  for (const root of [PLAIN, TESTED]) {
    await cp(join(sources, 'postern'), join(folder, root, 'postern'), {
      recursive: true,
      filter: (path) => root === TESTED || !isTest(path),
    })
    await writeFile(join(folder, root, 'data.json'), JSON.stringify(data))
    for (const file of rego) {
      if (root === PLAIN && isTest(file.key)) continue
      const path = join(root, 'teams', file.configMap, file.key)
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), file.text)
      files.set(path, file)
    }
  }
  await writeFile(join(folder, PLAIN, '.manifest'), JSON.stringify({ revision: '', roots: BUNDLE_ROOTS }))
  return { files, tests: rego.some(({ key }) => isTest(key)) }
}

type Run = (...args: readonly string[]) => Promise<OpaResult>

const findProblems = async (
  run: Run,
  { files, tests }: Staged,
  folder: string,
): Promise<readonly Problem[]> => {
  const check = async (root: string, capabilities: string): Promise<readonly Problem[]> =>
    checkProblems(
      await run(
        ...['check', '--strict', '-b', root, '--schema', SCHEMAS],
        ...['--capabilities', capabilities, '--format', 'json'],
      ),
      files,
    )
  const plain = await check(PLAIN, GUARD)
  if (plain.length > 0 || !tests) return plain
  await writeFile(join(folder, PURE), await pureCapabilities(run))
  const tested = await check(TESTED, PURE)
  if (tested.length > 0) return tested
  return testProblems(
    await run('test', '-b', TESTED, '--capabilities', PURE, '--timeout', '10s', '--format', 'json'),
    files,
  )
}

interface Capabilities {
  readonly builtins: readonly { readonly name: string; readonly nondeterministic?: boolean }[]
}

const pureCapabilities = async (run: Run): Promise<string> => {
  const { code, stdout } = await run('capabilities', '--current')
  if (code !== 0) throw new Error('opa capabilities --current fails; is policies.opa OPA 1.0 or newer?')
  const all = JSON.parse(stdout) as Capabilities
  return JSON.stringify({
    ...all,
    allow_net: [],
    builtins: all.builtins.filter(({ nondeterministic }) => nondeterministic !== true),
  })
}
