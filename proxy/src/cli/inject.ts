import { createTwoFilesPatch } from 'diff'
import { readFileSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { controllerFileSchema } from '../compose/controller-config.ts'
import { controllerConfigSchema, type ControllerConfig } from '../controller/config.ts'
import { defaultProfile } from '../controller/inject/default-profile.ts'
import { injectManifests, type ManifestResult } from '../controller/inject/inject-manifests.ts'
import type { WorkloadOptions } from '../controller/inject/inject-workload.ts'
import type { InjectSettings } from '../controller/inject/settings.ts'
import { readYaml, type YamlPart } from '../controller/inject/yaml-edit.ts'
import { CliError, EXIT, unreadable, type Command, type Io } from './command.ts'

const LIMIT = 16 << 20

export const injectCommand: Command = {
  help: `usage: postern inject FILE|- [--settings FILE] [--profile-dir DIR] [--image REF] [--namespace NAME]
                            [--all] [--write | --output diff|yaml|json]

Shows what the webhook would do to the pods and pod templates of FILE that are labelled
postern.dev/inject: "true", and to their Services. Nothing is asked of a cluster.

  --output diff    a unified diff; the default
  --output yaml    the whole file as it would be, comments kept, for kubectl apply -f -
  --output json    {"objects": [{kind, name, namespace, patch, status, notes, refused}]}; patch is RFC 6902
  --write          changes FILE itself
  --all            also pods without the label; they get it
  --settings FILE  configuration file of the controller, or its injection section alone; built-in
                   settings when absent
  --profile-dir D  folder with one guard configuration per profile, NAME.yaml, instead of the folder that
                   the settings name; a built-in default profile when both are absent
  --image REF      image of the guard
  --namespace N    of objects that name none; default when absent

examples
  postern inject deployment.yaml
  helm template my-model ./chart | postern inject - --output yaml | kubectl apply -f -

exit codes
  0  something changes, and was printed or written     1  nothing to do
  2  wrong usage     3  the file or the settings could not be read, or a pod would be refused
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        settings: { type: 'string' },
        'profile-dir': { type: 'string' },
        image: { type: 'string' },
        namespace: { type: 'string', default: 'default' },
        all: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        output: { type: 'string' },
      },
    })
    const [file] = positionals
    if (file === undefined || positionals.length > 1)
      throw new CliError('inject takes one file, or - for standard input; see postern inject --help')
    if (values.write && (file === '-' || values.output !== undefined)) {
      throw new CliError('--write changes a file in place, so it goes with neither - nor --output')
    }
    const output = values.output ?? 'diff'
    if (output !== 'diff' && output !== 'yaml' && output !== 'json')
      throw new CliError('--output is diff, yaml or json')
    const settings = await readSettings({
      file: values.settings,
      profiles: values['profile-dir'],
      image: values.image,
    })
    const text = await readText(file, io)
    const read = readYaml(text)
    if (read.kind === 'invalid')
      throw new CliError(`${shown(file)} is not valid YAML: ${read.message}`, EXIT.failed)
    const results = injectParts(read.parts, { settings, namespace: values.namespace, all: values.all })
    const objects = results.flatMap((part) => part.map(({ result }) => result))
    report(objects, io)
    if (output === 'json') io.out(`${JSON.stringify({ objects }, undefined, 2)}\n`)
    if (objects.some(({ refused }) => refused !== undefined)) return EXIT.failed
    const after = read.parts.map((part, i) => edited(part, results[i] ?? [])).join('')
    const changes = after !== text
    if (values.write && changes) await writeFile(file, after)
    if (!values.write && output === 'yaml') io.out(after)
    if (!values.write && output === 'diff' && changes) {
      io.out(coloured(createTwoFilesPatch(shown(file), shown(file), text, after), io))
    }
    return changes ? EXIT.ok : EXIT.no
  },
}

/** A result, and where its object stands in its document. */
interface Placed {
  readonly at: string
  readonly result: ManifestResult
}

/** For each document its objects: itself, or the items of a List. */
const injectParts = (
  parts: readonly YamlPart[],
  options: WorkloadOptions,
): readonly (readonly Placed[])[] => {
  const objects = parts.map(({ value }) => objectsIn(value))
  const results = injectManifests(
    objects.flatMap((list) => list.map(({ object }) => object)),
    options,
  )
  let next = 0
  return objects.map((list) =>
    list.flatMap(({ at }) => {
      const result = results[next++]
      return result ? [{ at, result }] : []
    }),
  )
}

const objectsIn = (value: unknown): readonly { readonly at: string; readonly object: unknown }[] => {
  if (value === null) return []
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown }
  if (kind !== 'List' || !Array.isArray(items)) return [{ at: '', object: value }]
  return items.map((object: unknown, i) => ({ at: `/items/${i}`, object }))
}

const edited = (part: YamlPart, placed: readonly Placed[]): string => {
  const patch = placed.flatMap(({ at, result }) =>
    result.patch.map((operation) => ({ ...operation, path: at + operation.path })),
  )
  return patch.length === 0 ? part.text : part.patched(patch)
}

/** On standard error, so that standard output can be piped. */
const report = (objects: readonly ManifestResult[], io: Io): void => {
  for (const { kind, name, status, notes, refused } of objects) {
    if (refused !== undefined) io.err(`${io.paint('red', 'refused')}: ${refused}\n`)
    if (status) {
      io.err(
        `${kind} ${name}: the guard listens on port ${status.port}, ${status.mode} mode, model ${status.model.container} on ${status.model.port}\n`,
      )
    }
    for (const note of notes) io.err(`${io.paint('yellow', 'note')}: ${kind} ${name}: ${note}\n`)
  }
}

const coloured = (diff: string, io: Io): string =>
  diff
    .split('\n')
    .slice(1) // a line of = signs, for patches of several files
    .map((line) => {
      if (line.startsWith('+++') || line.startsWith('---')) return io.paint('bold', line)
      if (line.startsWith('@@')) return io.paint('cyan', line)
      if (line.startsWith('+')) return io.paint('green', line)
      return line.startsWith('-') ? io.paint('red', line) : line
    })
    .join('\n')

interface SettingsFrom {
  readonly file: string | undefined
  readonly profiles: string | undefined
  readonly image: string | undefined
}

const readSettings = async ({ file, profiles, image }: SettingsFrom): Promise<InjectSettings> => {
  const injection = file === undefined ? builtIn() : await readInjection(file)
  const folder = profiles ?? (file === undefined ? undefined : injection.profiles)
  return {
    ...injection,
    ...(image !== undefined && { image }),
    profiles: folder === undefined ? new Map([['default', defaultProfile]]) : await readProfiles(folder),
    audience: 'postern-controller',
  }
}

type Injection = ControllerConfig['injection']

const builtIn = (): Injection =>
  controllerConfigSchema.parse({
    namespace: 'postern',
    injection: { version: packageVersion(), image: `ghcr.io/postern/postern:${packageVersion()}` },
  }).injection

const readInjection = async (file: string): Promise<Injection> => {
  const document = parseDocument(file, await contentOf(file))
  const whole =
    isMap(document) && 'injection' in document ? document : { namespace: 'postern', injection: document }
  const result = controllerFileSchema.safeParse(whole)
  if (result.success) return result.data.injection
  const [issue] = result.error.issues
  throw new CliError(`${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`, EXIT.failed)
}

const readProfiles = async (folder: string): Promise<ReadonlyMap<string, string>> => {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()
    if (names.length === 0) throw new CliError(`there is no profile NAME.yaml in ${folder}`, EXIT.failed)
    return new Map(
      await Promise.all(
        names.map(
          async (name) =>
            [name.slice(0, -'.yaml'.length), await readFile(join(folder, name), 'utf8')] as const,
        ),
      ),
    )
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(
      `cannot read the profiles in ${folder}: ${unreadable(error)}; name their folder with --profile-dir`,
      EXIT.failed,
    )
  }
}

const parseDocument = (file: string, text: string): unknown => {
  try {
    return parse(text)
  } catch (error) {
    throw new CliError(
      `${file} is not valid YAML: ${(error as Error).message.split('\n')[0] ?? ''}`,
      EXIT.failed,
    )
  }
}

const readText = async (file: string, io: Io): Promise<string> =>
  file === '-' ? (await io.stdin(LIMIT)).toString('utf8') : contentOf(file)

const contentOf = async (file: string): Promise<string> => {
  try {
    const text = await readFile(file, 'utf8')
    if (text.length > LIMIT) throw new CliError(`${file} is larger than ${LIMIT} bytes`, EXIT.failed)
    return text
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`cannot read ${file}: ${unreadable(error)}`, EXIT.failed)
  }
}

const shown = (file: string): string => (file === '-' ? 'standard input' : file)

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Beside the sources and beside the compiled guard alike. */
const packageVersion = (): string =>
  (
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      readonly version: string
    }
  ).version
