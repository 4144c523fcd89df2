import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { App } from 'cdktf'
import { infrastructure } from '../app.ts'
import type { Attributes } from '../aspects/visit.ts'
import type { Environment } from '../environment.ts'

export interface StackJson {
  readonly terraform: {
    readonly backend: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly required_providers: Readonly<Record<string, { readonly version: string }>>
  }
  readonly provider: Readonly<Record<string, readonly Record<string, unknown>[]>>
  readonly data?: Resources
  readonly resource: Resources
}

/** Attributes by type and name. */
type Resources = Readonly<Record<string, Readonly<Record<string, Attributes>>>>
/** What the environments synthesise to, by the stack's name. */
export const synthesised = (...environments: readonly Environment[]): Readonly<Record<string, StackJson>> =>
  written((outdir) => infrastructure(environments, outdir))

/** What an app writes, by the stack's name. */
export const written = (make: (outdir: string) => App): Readonly<Record<string, StackJson>> => {
  const outdir = mkdtempSync(join(tmpdir(), 'postern-infra-'))
  try {
    make(outdir).synth()
    const names = readdirSync(join(outdir, 'stacks'))
    return Object.fromEntries(
      names.map((name) => [
        name,
        JSON.parse(readFileSync(join(outdir, 'stacks', name, 'cdk.tf.json'), 'utf8')) as StackJson,
      ]),
    )
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}

/** All resources of one type. */
export const all = (stack: StackJson | undefined, type: string): readonly Attributes[] =>
  Object.values(stack?.resource[type] ?? {})

/** The one resource of a type. Throws when there are none or several. */
export const only = (stack: StackJson | undefined, type: string): Attributes => {
  const found = all(stack, type)
  const [first] = found
  if (first === undefined || found.length > 1)
    throw new Error(`There are ${found.length} of ${type}, and not one.`)
  return first
}

/** The one resource of a type whose attribute has a text in it. Throws when there are none or several. */
export const named = (
  stack: StackJson | undefined,
  type: string,
  [attribute, part]: readonly [string, string],
): Attributes => {
  const found = all(stack, type).filter((attributes) =>
    JSON.stringify(attributes[attribute] ?? '').includes(part),
  )
  const [first] = found
  if (first === undefined || found.length > 1)
    throw new Error(`There are ${found.length} of ${type} with ${part} in ${attribute}, and not one.`)
  return first
}

/** Every resource as `type path`, sorted: small enough to be read when it changes. */
export const inventory = (stack: StackJson | undefined): readonly string[] =>
  Object.entries(stack?.resource ?? {})
    .flatMap(([type, named]) =>
      Object.values(named).map((attributes) => {
        const { path } = (attributes as unknown as { '//': { metadata: { path: string } } })['//'].metadata
        return `${type} ${path.split('/').slice(1).join('/')}`
      }),
    )
    .sort()
