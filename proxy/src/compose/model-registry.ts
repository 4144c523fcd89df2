import { z } from 'zod'
import type { Config } from '../config/schema.ts'
import { readJsonText } from '../core/strict-json.ts'
import type { ModelVersion } from '../core/upstream.ts'
import type { TargetOptions } from '../upstream/options.ts'
import { readText } from './files.ts'

const name = () => z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/)

/** What the guard needs of the registry file; further members are for people and other tools. */
const registrySchema = z.object({
  v: z.literal(1),
  models: z.record(
    name(),
    z.object({
      versions: z.record(
        name(),
        z.object({
          serves_as: name().optional(),
          digest: z.string().regex(/^(?:[0-9a-f]{64})?$/),
          signer: z.string().max(256),
        }),
      ),
      aliases: z.record(name(), name()),
    }),
  ),
})

type Registry = z.output<typeof registrySchema>

interface Route {
  readonly name: string
  readonly targets: readonly TargetOptions[]
  readonly fallback?: readonly TargetOptions[]
}

/** The models with every `follow` replaced by the version it names. Throws an Error that says what to correct. */
export const followed = ({ models, modelRegistry }: Config): readonly Route[] => {
  const registry = modelRegistry && read(modelRegistry.file)
  const resolve = ({ follow, ...target }: Target): readonly TargetOptions[] => {
    if (follow === undefined) return [target]
    if (registry === undefined || modelRegistry === undefined)
      throw new Error(`alias ${follow.alias} of ${follow.model}: add modelRegistry.file`)
    const version = versionOf(registry, follow)
    if (version === undefined) return []
    if (modelRegistry.requireSignature && version.shown.signer === '')
      throw new Error(
        `${modelRegistry.file}: version ${version.shown.version} of ${version.shown.name} is not signed; register a signed one, or set modelRegistry.requireSignature to false`,
      )
    return [{ ...target, model: version.servesAs, version: version.shown }]
  }
  return models.map(({ name: asked, targets, fallback }) => {
    const served = targets.flatMap(resolve)
    const others = fallback?.flatMap(resolve)
    if (served.length + (others?.length ?? 0) === 0)
      throw new Error(
        `model ${asked}: no alias that its targets follow names a version in ${modelRegistry?.file ?? ''}; promote one with postern-sec model promote`,
      )
    return { name: asked, targets: served, ...(others === undefined ? {} : { fallback: others }) }
  })
}

type Target = Config['models'][number]['targets'][number]

const LIMITS = { depth: 16, nodes: 200_000, keys: 200_000 }

const read = (file: string): Registry => {
  try {
    return registrySchema.parse(readJsonText(readText(file), LIMITS))
  } catch (cause) {
    throw new Error(
      `modelRegistry.file: ${file} is not a model registry of version 1: ${whatIsWrong(cause)}`,
      {
        cause,
      },
    )
  }
}

const whatIsWrong = (cause: unknown): string => {
  if (!(cause instanceof z.ZodError)) return (cause as Error).message
  const [issue] = cause.issues
  return issue === undefined ? 'unknown' : `${issue.path.join('.') || 'the document'}: ${issue.message}`
}

interface Found {
  readonly shown: ModelVersion
  /** What the model server calls it. */
  readonly servesAs: string
}

/** Undefined when the alias names no version. */
const versionOf = (
  registry: Registry,
  { model, alias }: { readonly model: string; readonly alias: string },
): Found | undefined => {
  const entry = Object.hasOwn(registry.models, model) ? registry.models[model] : undefined
  if (entry === undefined || !Object.hasOwn(entry.aliases, alias)) return undefined
  const version = entry.aliases[alias] ?? ''
  const known = Object.hasOwn(entry.versions, version) ? entry.versions[version] : undefined
  if (known === undefined)
    throw new Error(`alias ${alias} of ${model}: there is no version ${version} in the registry`)
  return {
    shown: { name: model, version, digest: known.digest, signer: known.signer },
    servesAs: known.serves_as ?? model,
  }
}
